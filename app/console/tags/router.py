"""The router of the pages about tags; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
