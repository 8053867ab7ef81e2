<?php
// Passes what a mini-program reports on to OA Bridge. Standard input: the body of its request.
// php report_arrivals.php OPENID <body.json
declare(strict_types=1);

const WEEK = 7 * 24 * 3600 * 1000;
const MEMBERS = ['id', 'kind', 'scene', 'path', 'query', 'referrer_appid', 'ref'];

// $openid: of your own session, never one that the mini-program sends. Conversions are not taken
// from a phone: report an order when it is paid, with its number as id.
function report_of(array $sent, string $openid, float $now): array
{
    $at = (int) (($now * 1000 - min((float) ($sent['ago'] ?? 0), WEEK)));
    $time = DateTimeImmutable::createFromFormat('U.v', sprintf('%d.%03d', intdiv($at, 1000), $at % 1000));
    $report = array_intersect_key($sent, array_flip(MEMBERS));
    // An empty object would be an empty list in PHP.
    if (($report['query'] ?? null) === []) {
        unset($report['query']);
    }
    return [
        ...array_filter($report, fn ($value) => $value !== null),
        'appid' => getenv('MINI_PROGRAM_APPID'),
        'openid' => $openid,
        'at' => $time->format(DATE_RFC3339_EXTENDED),
    ];
}

// Report to OA Bridge. It may be repeated: after a time-out, simply send it again.
function pass_on(array $reports): string
{
    $curl = curl_init(getenv('OA_BRIDGE_URL') . '/api/arrivals');
    curl_setopt_array($curl, [
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 5,
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('OA_BRIDGE_TOKEN'),
            'Content-Type: application/json',
        ],
        CURLOPT_POSTFIELDS => json_encode(['reports' => $reports], JSON_THROW_ON_ERROR),
    ]);
    $text = curl_exec($curl);
    if ($text === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status !== 200) {
        throw new RuntimeException("$status $text");
    }
    return $text;
}

$body = json_decode(stream_get_contents(STDIN), true, flags: JSON_THROW_ON_ERROR);
$now = microtime(true);
$launches = array_filter(array_slice($body['reports'], 0, 100), fn ($sent) => $sent['kind'] === 'launch');
if ($launches) {
    $reports = array_map(fn ($sent) => report_of($sent, $argv[1], $now), $launches);
    echo pass_on(array_values($reports)), "\n";
}
