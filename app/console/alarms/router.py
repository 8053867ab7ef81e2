"""The router of the pages about alarms; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
