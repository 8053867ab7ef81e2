import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Passes what a mini-program reports on to OA Bridge. Your framework reads its request into Sent.
 *
 * <p>Java 17: java ReportArrivals.java OPENID ID SCENE PATH QUERY AGO
 */
public class ReportArrivals {
    static final String OA_BRIDGE = System.getenv("OA_BRIDGE_URL");
    static final String TOKEN = System.getenv("OA_BRIDGE_TOKEN");
    static final String APPID = System.getenv("MINI_PROGRAM_APPID");
    static final Duration WEEK = Duration.ofDays(7);
    static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** One launch. query: name=value joined by &amp;. ago: milliseconds since then. */
    record Sent(String id, int scene, String path, String query, long ago) {}

    /**
     * One report. openid: of your own session, never one that the mini-program sends. Conversions
     * are not taken from a phone: report an order when it is paid, with its number as id.
     */
    static String reportOf(Sent sent, String openid, Instant now) {
        Instant at = now.minusMillis(Math.min(sent.ago(), WEEK.toMillis()));
        return """
                {"id": %s, "kind": "launch", "appid": %s, "openid": %s, "at": %s, "scene": %d,
                 "path": %s, "query": %s}
                """.formatted(text(sent.id()), text(APPID), text(openid), text(at.toString()),
                        sent.scene(), text(sent.path()), text(sent.query()));
    }

    /** Reports to OA Bridge. It may be repeated: after a time-out, simply send it again. */
    static String passOn(List<String> reports) throws IOException, InterruptedException {
        String body = "{\"reports\": [" + String.join(", ", reports) + "]}";
        HttpRequest request = HttpRequest.newBuilder(URI.create(OA_BRIDGE + "/api/arrivals"))
                .timeout(Duration.ofSeconds(5))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /** A text in JSON. In your program: Jackson, Gson or the like. */
    static String text(String value) {
        return value.chars()
                .mapToObj(one -> one < 0x20 || one == '"' || one == '\\'
                        ? "\\u%04x".formatted(one) : String.valueOf((char) one))
                .collect(Collectors.joining("", "\"", "\""));
    }

    public static void main(String[] arguments) throws Exception {
        Sent sent = new Sent(arguments[1], Integer.parseInt(arguments[2]), arguments[3],
                arguments[4], Long.parseLong(arguments[5]));
        System.out.println(passOn(List.of(reportOf(sent, arguments[0], Instant.now()))));
    }
}
