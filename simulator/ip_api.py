"""`getcallbackip` and `get_api_domain_ip`. Source: protocol 3.5."""

from fastapi import APIRouter, Request

from simulator.callers import CallerDep, JsonObject

router = APIRouter(prefix="/cgi-bin")


@router.get("/getcallbackip")
async def getcallbackip(_account: CallerDep) -> JsonObject:
    """Return the addresses from which pushes come: those of this machine."""
    return {"ip_list": ["127.0.0.1", "127.0.0.0/8"]}


@router.get("/get_api_domain_ip")
async def get_api_domain_ip(request: Request, _account: CallerDep) -> JsonObject:
    """Return the addresses of the API."""
    return {"ip_list": [request.url.hostname or "127.0.0.1"]}
