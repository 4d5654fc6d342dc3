import java.net.InetSocketAddress;
import java.util.EnumSet;
import javax.servlet.DispatcherType;
import org.apache.solr.servlet.CoreContainerProvider;
import org.apache.solr.servlet.SolrDispatchFilter;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.servlet.DefaultServlet;
import org.eclipse.jetty.servlet.ServletContextHandler;

/** Solr in a plain Jetty, on loopback: what Solr's own distribution does, in the few lines that CKAN needs. */
public class SolrServer {
    /** Serves the Solr home named by -Dsolr.solr.home on the port given as the only argument. */
    public static void main(String[] arguments) throws Exception {
        ServletContextHandler solr = new ServletContextHandler();
        solr.setContextPath("/solr");
        solr.setResourceBase(System.getProperty("solr.solr.home"));
        solr.addEventListener(new CoreContainerProvider());
        solr.addFilter(SolrDispatchFilter.class, "/*", EnumSet.of(DispatcherType.REQUEST));
        solr.addServlet(DefaultServlet.class, "/");

        Server server = new Server(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])));
        server.setHandler(solr);
        server.setStopAtShutdown(true);
        server.start();
        server.join();
    }
}
