import java.lang.reflect.Proxy;

/**
 * Runs OpenSearch in this process until it is killed. The runner's own main ends without a word when it fails, its nodes
 * run no ingest pipelines, and its classes are of a newer Java than the compiler here may be: so it is called by name.
 */
public final class Os {
  private static final String[] ROLES = {"cluster_manager", "data", "ingest"};

  public static void main(String[] words) throws Exception {
    Object runner = Class.forName("org.codelibs.opensearch.runner.OpenSearchRunner").getConstructor().newInstance();
    Class<?> hook = Class.forName("org.codelibs.opensearch.runner.OpenSearchRunner$Builder");
    Object roles = Proxy.newProxyInstance(Os.class.getClassLoader(), new Class<?>[] {hook}, (self, method, given) -> {
      Object settings = given[1];
      settings.getClass().getMethod("putList", String.class, String[].class).invoke(settings, "node.roles", ROLES);
      return null;
    });
    runner.getClass().getMethod("onBuild", hook).invoke(runner, roles);
    runner.getClass().getMethod("build", String[].class).invoke(runner, (Object) words);
    Thread.currentThread().join();
  }
}
