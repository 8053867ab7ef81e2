"""The router of the pages about campaigns; each page adds its routes to it."""

from fastapi import APIRouter

router = APIRouter()
