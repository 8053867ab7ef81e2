# One image for `serve`, `worker` and `migrate`; Postgres is elsewhere (DATABASE_URL).
FROM python:3.12-slim AS builder

# What the few packages without a ready wheel for a platform need; stays in this stage.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends build-essential \
    && rm -rf /var/lib/apt/lists/*

RUN python -m venv /opt/oa-bridge
WORKDIR /src

# Dependencies first: a change of the code alone does not install them again.
COPY constraints.txt pyproject.toml README.md LICENSE ./
RUN mkdir app \
    && touch app/__init__.py \
    && /opt/oa-bridge/bin/pip install --no-cache-dir -c constraints.txt . \
    && rm -r app

COPY app app
COPY migrations migrations
COPY simulator simulator
RUN /opt/oa-bridge/bin/pip install --no-cache-dir --no-deps --force-reinstall .


FROM python:3.12-slim

RUN useradd --system --uid 10001 --home-dir /data --no-create-home oa-bridge \
    && mkdir /data \
    && chown oa-bridge /data
COPY --from=builder /opt/oa-bridge /opt/oa-bridge

# XDG_RUNTIME_DIR: for the embedded Postgres, which this image does not use but loads.
ENV PATH=/opt/oa-bridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data \
    XDG_RUNTIME_DIR=/tmp

USER oa-bridge
WORKDIR /data
VOLUME /data
EXPOSE 8000

# For `serve`; switch it off for a worker, which listens on no port.
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=2)"]

ENTRYPOINT ["oa-bridge"]
CMD ["serve"]
