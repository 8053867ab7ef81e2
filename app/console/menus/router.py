"""The router of the pages about menus; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
