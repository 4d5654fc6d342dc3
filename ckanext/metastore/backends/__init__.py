"""The places that keep histories. Each is a package of its own, with the SDK that it needs."""
