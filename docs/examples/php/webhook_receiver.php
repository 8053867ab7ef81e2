<?php
// Receives webhooks: checks the signature, logs the event, answers 204.
// WEBHOOK_SECRET comes from the environment. To try it: php -S 127.0.0.1:9000 webhook_receiver.php
declare(strict_types=1);

const TOLERANCE_SECONDS = 300;

// $body: the bytes as they came, before any parsing.
function is_genuine(string $secret, string $body): bool
{
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!ctype_digit($timestamp) || abs(time() - (int) $timestamp) > TOLERANCE_SECONDS) {
        return false;
    }
    $key = base64_decode(preg_replace('/^whsec_/', '', $secret));
    $digest = hash_hmac('sha256', "$id.$timestamp.$body", $key, true);
    $expected = 'v1,' . base64_encode($digest);
    // While a secret is being changed there are two signatures: one of them has to fit.
    foreach (explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '') as $signature) {
        if (hash_equals($expected, $signature)) {
            return true;
        }
    }
    return false;
}

// Keep the event, once per id. In your program: one INSERT into your database.
function store(string $id, array $event): void
{
    file_put_contents('php://stderr', json_encode(['id' => $id] + $event) . "\n");
}

$body = file_get_contents('php://input');
if (!is_genuine(getenv('WEBHOOK_SECRET'), $body)) {
    http_response_code(400);
    exit;
}
store($_SERVER['HTTP_WEBHOOK_ID'], json_decode($body, true, flags: JSON_THROW_ON_ERROR));
http_response_code(204);
