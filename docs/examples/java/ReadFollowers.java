import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Prints the OpenID of every follower, then the cursor for the next run.
 *
 * <p>Java 17: java ReadFollowers.java [CURSOR]
 */
public class ReadFollowers {
    static final String OA_BRIDGE = System.getenv("OA_BRIDGE_URL");
    static final String TOKEN = System.getenv("OA_BRIDGE_TOKEN");
    static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    // In your program: Jackson, Gson or the like. Null does not match, and so ends the list.
    static final Pattern OPENID = Pattern.compile("\"openid\":\"([^\"]+)\"");
    static final Pattern NEXT = Pattern.compile("\"next\":\"([^\"]+)\"");
    static final Pattern LATER = Pattern.compile("\"later\":\"([^\"]+)\"");

    /** The filters stay the same from page to page; only the cursor changes. */
    static String page(String after) throws IOException, InterruptedException {
        String cursor = after == null
                ? ""
                : "&after=" + URLEncoder.encode(after, StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(OA_BRIDGE + "/api/followers?limit=500" + cursor))
                .timeout(Duration.ofSeconds(30))
                .header("Authorization", "Bearer " + TOKEN)
                .build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    static String first(Pattern pattern, String json) {
        Matcher found = pattern.matcher(json);
        return found.find() ? found.group(1) : null;
    }

    public static void main(String[] arguments) throws Exception {
        String after = arguments.length > 0 ? arguments[0] : null;
        String later;
        do {
            String page = page(after);
            OPENID.matcher(page).results().forEach(one -> System.out.println(one.group(1)));
            after = first(NEXT, page);
            later = first(LATER, page);
        } while (after != null);
        // Store it: passed as `after`, it leads to what has arrived since.
        System.out.println(later);
    }
}
