<?php
// Prints the OpenID of every follower, then the cursor for the next run.
// php read_followers.php [CURSOR]
declare(strict_types=1);

// Page after page. The filters stay the same; only the cursor changes.
function pages(string $path, array $query): Generator
{
    do {
        $curl = curl_init(getenv('OA_BRIDGE_URL') . $path . '?' . http_build_query($query));
        curl_setopt_array($curl, [
            CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . getenv('OA_BRIDGE_TOKEN')],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT => 30,
        ]);
        $text = curl_exec($curl);
        if ($text === false || curl_getinfo($curl, CURLINFO_RESPONSE_CODE) !== 200) {
            throw new RuntimeException(curl_error($curl) ?: $text);
        }
        $page = json_decode($text, true, flags: JSON_THROW_ON_ERROR);
        yield $page;
        $query['after'] = $page['next'];
    } while ($page['next'] !== null);
}

$query = ['limit' => 500] + (isset($argv[1]) ? ['after' => $argv[1]] : []);
foreach (pages('/api/followers', $query) as $page) {
    foreach ($page['items'] as $follower) {
        echo $follower['openid'], "\n";
    }
}
// Store it: passed as `after`, it leads to what has arrived since.
echo $page['later'], "\n";
