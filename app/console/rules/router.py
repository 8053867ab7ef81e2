"""The router of all pages about rules; each page adds its routes."""

from fastapi import APIRouter

router = APIRouter()
