"""The router of the pages about figures; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
