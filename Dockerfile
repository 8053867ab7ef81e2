# One image for `serve`, `worker` and `migrate`; Postgres is elsewhere (DATABASE_URL).
# The digest names one index for every platform; docs/dependencies.md says how it is renewed.
ARG PYTHON_IMAGE=docker.io/library/python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS builder

# Another package index than pip's own: --build-arg PIP_INDEX_URL=…
ARG PIP_INDEX_URL
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src

# Tools of this stage alone: they build the package and write the bill of materials.
COPY requirements/build.txt requirements/sbom.txt requirements/
RUN python -m venv /opt/tools \
    && /opt/tools/bin/pip install --no-deps --require-hashes --only-binary :all: \
        -r requirements/build.txt -r requirements/sbom.txt

# Dependencies before the code: a change of the code or of a page installs none of them again.
# Wheels alone: no program of a dependency runs while the image is built.
COPY requirements/service.txt requirements/
RUN python -m venv --without-pip /opt/oa-bridge \
    && /opt/tools/bin/pip --python /opt/oa-bridge/bin/python install \
        --no-deps --require-hashes --only-binary :all: -r requirements/service.txt

COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY migrations migrations
RUN /opt/tools/bin/pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
    && /opt/tools/bin/pip --python /opt/oa-bridge/bin/python install --no-deps --no-index dist/*.whl \
    && mkdir -p /opt/oa-bridge/share \
    && /opt/tools/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
        --output-format JSON --output-file /opt/oa-bridge/share/sbom.cdx.json \
        /opt/oa-bridge/bin/python


FROM ${PYTHON_IMAGE}

RUN useradd --system --uid 10001 --home-dir /data --no-create-home oa-bridge \
    && mkdir --mode=0700 /data \
    && chown oa-bridge /data
COPY --from=builder /opt/oa-bridge /opt/oa-bridge

ENV PATH=/opt/oa-bridge/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data

USER oa-bridge
WORKDIR /data
VOLUME /data
EXPOSE 8000

# For `serve`; a worker listens on no port. Builders that write the OCI format drop it, so
# compose.yaml has checks of its own.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/livez', timeout=2)"]

ENTRYPOINT ["oa-bridge"]
CMD ["serve"]
