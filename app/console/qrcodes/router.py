"""The router of the pages about QR codes; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
