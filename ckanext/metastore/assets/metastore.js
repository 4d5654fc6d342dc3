// What is nicer with JavaScript. Nothing here is needed.
