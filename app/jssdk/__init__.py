"""The JS-SDK: signatures for the web pages of an account, and the script for open tags.

A page on a JS-safe domain of an Official Account asks `GET /jssdk/{appid}?url=` for what
`wx.config` needs. `/jssdk/v1.js` does so by itself, and turns marked elements into
`wx-open-launch-weapp`. The worker keeps the jsapi_ticket of each account fresh; a request never
calls WeChat, and no answer holds the ticket.

Source: protocol 9.6; linkage 6.
"""
