"""The demonstration account of a simulator without options; its credentials are made up."""

from simulator.accounts import Account

ACCOUNT = Account.model_validate(
    {
        "appid": "wx1f2e3d4c5b6a7980",
        "original_id": "gh_demo0000001",
        "secret": "demo-app-secret-0123456789abcdef0",
        "token": "oaLinkDemoToken01",
        "encoding_aes_key": "Q7mZ2xKpR9sT4vWbN6cYdF1gHjL8aE3uPoXiMk5Bw0S",
        "callback_url": "http://127.0.0.1:8000/callback/{appid}",
        "linked_mini_programs": ["wx0123456789abcdef"],
    }
)
OPENIDS = (
    "oDEMO0aBcDeFgHiJkLmNoPqRsTuV",
    "oDEMO1aBcDeFgHiJkLmNoPqRsTuV",
    "oDEMO2aBcDeFgHiJkLmNoPqRsTuV",
)
