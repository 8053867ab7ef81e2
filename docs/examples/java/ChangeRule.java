import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;

/**
 * Adds a rule and replaces it, unless somebody else has changed it in between.
 *
 * <p>The whole rule is made by this program, so it need not read it first.
 *
 * <p>Java 17: java -Dfile.encoding=UTF-8 ChangeRule.java
 */
public class ChangeRule {
    static final String OA_BRIDGE = System.getenv("OA_BRIDGE_URL");
    static final String TOKEN = System.getenv("OA_BRIDGE_TOKEN");
    static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    static String rule(int priority) {
        return """
                {"name": "Opening hours", "priority": %d,
                 "trigger": {"on": "text", "match": "contains", "keyword": "营业时间"},
                 "replies": [{"msgtype": "text", "via": "passive", "content": "10:00-22:00"}]}
                """.formatted(priority);
    }

    static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(OA_BRIDGE + path))
                .timeout(Duration.ofSeconds(10))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json");
    }

    static HttpResponse<String> send(HttpRequest.Builder request, int wanted) throws Exception {
        HttpResponse<String> answer = HTTP.send(request.build(), BodyHandlers.ofString());
        if (answer.statusCode() != wanted) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer;
    }

    public static void main(String[] arguments) throws Exception {
        var added = send(to("/api/rules").POST(BodyPublishers.ofString(rule(100))), 201);
        String path = added.headers().firstValue("Location").orElseThrow();
        String etag = added.headers().firstValue("ETag").orElseThrow();
        // 412 ends the program: a person has to look at the other change.
        var changed = send(
                to(path).header("If-Match", etag).PUT(BodyPublishers.ofString(rule(200))), 200);
        System.out.println(changed.body());
    }
}
