import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.platform.engine.FilterResult;
import org.junit.platform.engine.TestDescriptor;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.ClassNameFilter;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.PostDiscoveryFilter;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Asks the Dataspace Protocol's compatibility kit about one connector. A line a test, its reason below where it failed;
 * the last line is "N passed, N failed". Exit code 0: as many passed as expected and none failed; 1: not so; 2: usage.
 *
 *   java -cp 'build/interop/tck/*' Conformance.java --selftest
 *   java -cp 'build/interop/tck/*' Conformance.java --connector http://localhost:8282/dsp --hooks http://localhost:8687/tck
 *
 * Options: --port N where the kit listens, --name TEXT only tests with it in their name, --expect N, --trace.
 */
public final class Conformance {
    /** The kit's tests by group: how many there are of 01-xx, 02-xx, 03-xx. It reads the ids of their data by these names. */
    private record Group(String prefix, String data, int first, int second, int third) {}

    private static final List<Group> GROUPS = List.of(
        new Group("CAT", "CAT", 3, 0, 0),
        new Group("CN", "ACN", 4, 7, 4),
        new Group("CN_C", "ACNC", 4, 6, 6),
        new Group("TP", "ATP", 5, 5, 6),
        new Group("TP_C", "ATPC", 5, 5, 6));

    private boolean selftest;
    private boolean trace;
    private String connector = "";
    private String hooks = "";
    private String name = "";
    private int port = 8083;
    private int expect = -1;

    public static void main(String[] arguments) {
        int code = 2;
        try {
            code = new Conformance(arguments).run();
        } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException wrong) {
            System.err.println("Conformance: " + wrong.getMessage());
        }
        System.out.flush();
        // The kit leaves threads behind that would keep the process for ever.
        System.exit(code);
    }

    private Conformance(String[] arguments) {
        for (int i = 0; i < arguments.length; ++i) {
            switch (arguments[i]) {
                case "--selftest" -> selftest = true;
                case "--trace" -> trace = true;
                case "--connector" -> connector = arguments[++i];
                case "--hooks" -> hooks = arguments[++i];
                case "--name" -> name = arguments[++i];
                case "--port" -> port = Integer.parseInt(arguments[++i]);
                case "--expect" -> expect = Integer.parseInt(arguments[++i]);
                default -> throw new IllegalArgumentException("unknown option " + arguments[i]);
            }
        }
        if (!selftest && (connector.isEmpty() || hooks.isEmpty())) {
            throw new IllegalArgumentException("expected --selftest, or --connector URL and --hooks URL");
        }
    }

    private int run() {
        configure();
        var report = new Report();
        var launcher = LauncherFactory.create();
        launcher.execute(selection(), report);
        if (report.skipped.get() > 0) System.out.println(report.skipped + " disabled in the kit");
        int passed = report.passed.get();
        int failed = report.failed.get();
        boolean all = failed == 0 && passed > 0 && (expect < 0 || passed == expect);
        if (failed == 0 && !all) System.out.println("expected " + (expect < 0 ? "at least 1" : expect) + " to pass");
        System.out.println(passed + " passed, " + failed + " failed");
        return all ? 0 : 1;
    }

    private LauncherDiscoveryRequest selection() {
        var request = LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectPackage("org.eclipse.dataspacetck.dsp.verification"))
            .filters(ClassNameFilter.includeClassNamePatterns(".*Test"));
        if (!name.isEmpty()) {
            request.filters((PostDiscoveryFilter) this::wanted);
        }
        return request.build();
    }

    private FilterResult wanted(TestDescriptor test) {
        return FilterResult.includedIf(!test.isTest() || test.getDisplayName().contains(name));
    }

    private void configure() {
        set("launcher", "org.eclipse.dataspacetck.dsp.system.DspSystemLauncher");
        set("debug", "false");
        set("ansi", "false");
        set("host", "127.0.0.1");
        set("port", Integer.toString(port));
        set("callback.address", "http://localhost:" + port);
        set("dsp.local.connector", Boolean.toString(selftest));
        set("dsp.default.wait", "15");  // seconds
        if (selftest) return;
        set("dsp.connector.agent.id", "CONNECTOR_UNDER_TEST");
        set("dsp.connector.http.base.url", connector);
        set("dsp.connector.http.url", connector + "/2025-1");
        set("dsp.connector.http.headers.authorization",
            "{\"region\":\"eu\",\"audience\":\"any\",\"clientId\":\"TCK_PARTICIPANT\"}");
        set("dsp.connector.negotiation.initiate.url", hooks + "/negotiations/requests");
        set("dsp.connector.transfer.initiate.url", hooks + "/transfers/requests");
        for (Group group : GROUPS) {
            int[] sizes = {group.first, group.second, group.third};
            for (int series = 1; series <= sizes.length; ++series) {
                for (int number = 1; number <= sizes[series - 1]; ++number) seed(group, series, number);
            }
        }
    }

    private static void seed(Group group, int series, int number) {
        String key = String.format("%s_%02d_%02d_", group.prefix, series, number);
        String id = String.format("%s%02d%02d", group.data, series, number);
        if (group.prefix.startsWith("TP")) {
            System.setProperty(key + "AGREEMENTID", id);
            System.setProperty(key + "FORMAT", "HttpData-PULL");
            return;
        }
        System.setProperty(key + "DATASETID", id);
        if (group.prefix.equals("CN")) System.setProperty(key + "OFFERID", "CD123:" + id + ":456");
    }

    private static void set(String key, String value) {
        System.setProperty("dataspacetck." + key, value);
    }

    private final class Report implements TestExecutionListener {
        final AtomicInteger passed = new AtomicInteger();
        final AtomicInteger failed = new AtomicInteger();
        final AtomicInteger skipped = new AtomicInteger();
        private long began;

        @Override public void executionStarted(TestIdentifier test) {
            if (test.isTest()) began = System.nanoTime();
        }

        @Override public void executionSkipped(TestIdentifier test, String reason) {
            if (!test.isTest()) return;
            skipped.incrementAndGet();
            System.out.println("SKIP " + test.getDisplayName() + ": " + reason);
        }

        @Override public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            boolean good = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
            if (good && !test.isTest()) return;  // a class or the engine: of interest only when it broke
            (good ? passed : failed).incrementAndGet();
            long took = (System.nanoTime() - began) / 1_000_000;
            System.out.println((good ? "PASS " : "FAIL ") + test.getDisplayName() + " (" + took + " ms)");
            if (good) return;
            result.getThrowable().ifPresent(thrown -> {
                for (String line : reasons(thrown)) System.out.println("     " + line);
                if (trace) thrown.printStackTrace(System.out);
            });
        }
    }

    private static List<String> reasons(Throwable thrown) {
        var lines = new ArrayList<String>();
        for (Throwable t = thrown; t != null && lines.size() < 4; t = t.getCause()) {
            String text = t.getClass().getSimpleName() + ": " + String.valueOf(t.getMessage()).strip().replaceAll("\\s*\\R\\s*", " | ");
            lines.add(text.length() > 600 ? text.substring(0, 600) + "…" : text);
        }
        return lines;
    }
}
