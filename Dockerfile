# modelmon as a container: configuration and logs are mounted, state lives in a volume.
#
#   docker build -t modelmon .
#   docker run --rm -v ./config:/srv/modelmon/config:ro -v modelmon:/srv/modelmon/var \
#     modelmon db upgrade
#   docker run -v ./config:/srv/modelmon/config:ro -v ./logs:/srv/modelmon/logs:ro \
#     -v modelmon:/srv/modelmon/var -p 127.0.0.1:9108:9108 modelmon
#
# For a repeatable build name the base by its digest, which `docker buildx imagetools inspect
# python:3.13-slim-bookworm` prints:
#   docker build --build-arg BASE=python:3.13-slim-bookworm@sha256:… .
ARG BASE=python:3.13-slim-bookworm

FROM ${BASE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
# The environment that is shipped has no pip of its own.
RUN python3 -m venv /build/tools && python3 -m venv --without-pip /opt/modelmon
COPY requirements.lock requirements-build.lock ./
# Everything that is installed has its hash in a lock file (`make lock`).
RUN /build/tools/bin/pip install --require-hashes --requirement requirements-build.lock \
 && /build/tools/bin/pip --python /opt/modelmon install --require-hashes --requirement requirements.lock
COPY LICENSE README.md pyproject.toml ./
COPY monitor monitor
COPY dashboards/grafana dashboards/grafana
RUN /build/tools/bin/hatchling build --target wheel --directory dist \
 && /build/tools/bin/pip --python /opt/modelmon install --no-deps --no-index dist/*.whl

FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="modelmon" \
      org.opencontainers.image.description="A production model-monitoring daemon for drift and bias" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 modelmon \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /srv/modelmon --shell /usr/sbin/nologin modelmon \
 && install -d -o 10001 -g 10001 /srv/modelmon /srv/modelmon/var
COPY --from=build /opt/modelmon /opt/modelmon
# The root file system may be read-only: pip has compiled the bytecode, state goes to the volume.
ENV PATH=/opt/modelmon/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/modelmon
VOLUME ["/srv/modelmon/var"]
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["modelmon", "healthcheck"]
EXPOSE 9108
ENTRYPOINT ["modelmon"]
# Within the container's own network; which host address it appears on is for whoever runs it.
CMD ["serve", "--host", "0.0.0.0"]
