<?php
// After wx.login: turns the code into OpenID and UnionID, and reports them to OA Bridge.
// php report_identity.php CODE
declare(strict_types=1);

function call(string $url, array $options = []): array
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 5] + $options);
    $text = curl_exec($curl);
    if ($text === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    if ($status !== 200) {
        throw new RuntimeException("$status $text");
    }
    return json_decode($text, true, flags: JSON_THROW_ON_ERROR);
}

// Ask WeChat who has logged in. The answer's session_key stays on this server.
function code2session(string $code): array
{
    $wechat = getenv('WECHAT_API') ?: 'https://api.weixin.qq.com';
    $session = call("$wechat/sns/jscode2session?" . http_build_query([
        'appid' => getenv('MINI_PROGRAM_APPID'),
        'secret' => getenv('MINI_PROGRAM_SECRET'),
        'js_code' => $code,
        'grant_type' => 'authorization_code',
    ]));
    if ($session['errcode'] ?? 0) {
        throw new RuntimeException("WeChat refuses the code: {$session['errcode']}");
    }
    return $session;
}

// Tell OA Bridge who this is. It may be repeated: after a time-out, simply send it again.
function report(string $openid, string $unionid, DateTimeImmutable $loggedInAt): array
{
    $identity = [
        'appid' => getenv('MINI_PROGRAM_APPID'),
        'openid' => $openid,
        'unionid' => $unionid,
        'logged_in_at' => $loggedInAt->format(DATE_RFC3339_EXTENDED),
    ];
    return call(getenv('OA_BRIDGE_URL') . '/api/identities', [
        CURLOPT_CUSTOMREQUEST => 'PUT',
        CURLOPT_HTTPHEADER => [
            'Authorization: Bearer ' . getenv('OA_BRIDGE_TOKEN'),
            'Content-Type: application/json',
        ],
        CURLOPT_POSTFIELDS => json_encode(['identities' => [$identity]]),
    ]);
}

$now = new DateTimeImmutable();
$session = code2session($argv[1]);
if (isset($session['unionid'])) {
    echo json_encode(report($session['openid'], $session['unionid'], $now)), "\n";
} else {
    echo "no UnionID: nothing to report\n";
}
