<?php
// Adds a rule, reads it again, and changes its priority without losing anybody else's change.
declare(strict_types=1);

const TRIES = 5;
const RULE = [
    'name' => 'Opening hours',
    'trigger' => ['on' => 'text', 'match' => 'contains', 'keyword' => '营业时间'],
    'replies' => [['msgtype' => 'text', 'via' => 'passive', 'content' => '10:00-22:00']],
];

// Returns status, decoded body and ETag.
function call(string $method, string $path, ?object $body = null, ?string $ifMatch = null): array
{
    $headers = ['Authorization: Bearer ' . getenv('OA_BRIDGE_TOKEN')];
    $etag = null;
    $curl = curl_init(getenv('OA_BRIDGE_URL') . $path);
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    if ($ifMatch !== null) {
        $headers[] = "If-Match: $ifMatch";
    }
    curl_setopt_array($curl, [
        CURLOPT_CUSTOMREQUEST => $method,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 10,
        CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$etag): int {
            if (stripos($line, 'etag:') === 0) {
                $etag = trim(substr($line, 5));
            }
            return strlen($line);
        },
    ]);
    $text = curl_exec($curl);
    if ($text === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status >= 400 && $status !== 412) {
        throw new RuntimeException("$status $text");
    }
    // Objects, not arrays: an empty JSON object stays one.
    return [$status, json_decode($text, flags: JSON_THROW_ON_ERROR), $etag];
}

// Change one member of a rule. 412: somebody else was quicker, so read it again.
function set_priority(int $id, int $priority): object
{
    for ($tries = 0; $tries < TRIES; $tries++) {
        [, $rule, $etag] = call('GET', "/api/rules/$id");
        unset($rule->id, $rule->revision, $rule->created_at, $rule->updated_at);
        $rule->priority = $priority;
        [$status, $changed] = call('PUT', "/api/rules/$id", $rule, $etag);
        if ($status !== 412) {
            return $changed;
        }
    }
    throw new RuntimeException("rule $id is changed again and again");
}

[, $added] = call('POST', '/api/rules', (object) RULE);
$changed = set_priority($added->id, 200);
echo json_encode([
    'id' => $changed->id,
    'name' => $changed->name,
    'priority' => $changed->priority,
    'revision' => $changed->revision,
]), "\n";
