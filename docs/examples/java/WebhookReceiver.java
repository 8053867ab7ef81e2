import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.Base64;
import java.util.Objects;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Receives webhooks: checks the signature, prints the event, answers 204.
 *
 * <p>WEBHOOK_SECRET and PORT come from the environment. Java 17: java WebhookReceiver.java
 */
public class WebhookReceiver {
    static final long TOLERANCE_SECONDS = 300;
    static final String SECRET = System.getenv("WEBHOOK_SECRET");

    /** Returns whether a request is genuine. body: the bytes as they came, before any parsing. */
    static boolean isGenuine(String secret, Headers headers, byte[] body)
            throws GeneralSecurityException {
        String id = Objects.requireNonNullElse(headers.getFirst("webhook-id"), "");
        String timestamp = Objects.requireNonNullElse(headers.getFirst("webhook-timestamp"), "");
        if (!timestamp.matches("[0-9]{1,12}")) {
            return false;
        }
        long away = Math.abs(Instant.now().getEpochSecond() - Long.parseLong(timestamp));
        if (away > TOLERANCE_SECONDS) {
            return false;
        }
        byte[] key = Base64.getDecoder().decode(secret.replaceFirst("^whsec_", ""));
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        mac.update((id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8));
        String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
        String given = Objects.requireNonNullElse(headers.getFirst("webhook-signature"), "");
        // While a secret is being changed there are two signatures: one of them has to fit.
        boolean fits = false;
        for (String signature : given.split(" ")) {
            fits |= MessageDigest.isEqual(signature.getBytes(), expected.getBytes());
        }
        return fits;
    }

    /** Keeps the event, once per id. In your program: one INSERT into your database. */
    static void store(String id, String event) {
        System.out.println(event.replaceFirst("\\{", "{\"id\":\"" + id + "\","));
    }

    static void handle(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        int status = 500;
        try {
            if (isGenuine(SECRET, exchange.getRequestHeaders(), body)) {
                String id = exchange.getRequestHeaders().getFirst("webhook-id");
                store(id, new String(body, StandardCharsets.UTF_8));
                status = 204;
            } else {
                status = 400;
            }
        } catch (GeneralSecurityException error) {
            error.printStackTrace();
        } finally {
            exchange.sendResponseHeaders(status, -1);
            exchange.close();
        }
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.createContext("/", WebhookReceiver::handle);
        server.start();
    }
}
