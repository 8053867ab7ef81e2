"""The router of the pages about links; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
