import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * After wx.login: turns the code into OpenID and UnionID, and reports them to OA Bridge.
 *
 * <p>Java 17: java ReportIdentity.java CODE
 */
public class ReportIdentity {
    static final String WECHAT =
            Optional.ofNullable(System.getenv("WECHAT_API")).orElse("https://api.weixin.qq.com");
    static final String OA_BRIDGE = System.getenv("OA_BRIDGE_URL");
    static final String TOKEN = System.getenv("OA_BRIDGE_TOKEN");
    static final String APPID = System.getenv("MINI_PROGRAM_APPID");
    static final String SECRET = System.getenv("MINI_PROGRAM_SECRET");
    static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** Asks WeChat who has logged in. The answer's session_key stays on this server. */
    static String code2session(String code) throws IOException, InterruptedException {
        String query = "?appid=" + APPID + "&secret=" + SECRET + "&js_code="
                + URLEncoder.encode(code, StandardCharsets.UTF_8)
                + "&grant_type=authorization_code";
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create(WECHAT + "/sns/jscode2session" + query))
                .timeout(Duration.ofSeconds(5))
                .build();
        return HTTP.send(request, BodyHandlers.ofString()).body();
    }

    /** Tells OA Bridge who this is. After a time-out, simply send it again. */
    static String report(String openid, String unionid, Instant loggedInAt)
            throws IOException, InterruptedException {
        String body = """
                {"identities": [{"appid": "%s", "openid": "%s", "unionid": "%s",
                                 "logged_in_at": "%s"}]}
                """.formatted(APPID, openid, unionid, loggedInAt);
        HttpRequest request = HttpRequest.newBuilder(URI.create(OA_BRIDGE + "/api/identities"))
                .timeout(Duration.ofSeconds(5))
                .header("Authorization", "Bearer " + TOKEN)
                .header("Content-Type", "application/json")
                .PUT(BodyPublishers.ofString(body))
                .build();
        var answer = HTTP.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(answer.statusCode() + " " + answer.body());
        }
        return answer.body();
    }

    /** A text member of WeChat's flat answer. In your program: Jackson, Gson or the like. */
    static Optional<String> member(String json, String name) {
        Matcher found = Pattern.compile("\"" + name + "\"\\s*:\\s*\"([^\"\\\\]+)\"").matcher(json);
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    public static void main(String[] arguments) throws Exception {
        Instant now = Instant.now();
        String session = code2session(arguments[0]);
        String openid = member(session, "openid")
                .orElseThrow(() -> new IOException("WeChat refuses the code: " + session));
        Optional<String> unionid = member(session, "unionid");
        if (unionid.isPresent()) {
            System.out.println(report(openid, unionid.get(), now));
        } else {
            System.out.println("no UnionID: nothing to report");
        }
    }
}
