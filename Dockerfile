# syntax=docker/dockerfile:1

# Builds the one binary. binaryen brings wasm-opt, which makes the browser part half as large.
FROM rust:1.95-slim-trixie AS build
RUN apt-get update \
 && apt-get install --yes --no-install-recommends binaryen ca-certificates pkg-config \
 && rm -rf /var/lib/apt/lists/* \
 && rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask build --release \
 && install -D -m 0755 target/release/devforge /out/devforge

# Runs it: the binary, certificates for calls to others, and a user without rights.
FROM debian:trixie-slim
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates tini \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/devforge --create-home --shell /usr/sbin/nologin devforge
COPY --from=build /out/devforge /usr/local/bin/devforge

ENV DEVFORGE_MODE=production \
    DEVFORGE_DATA_DIR=/var/lib/devforge \
    DEVFORGE_HTTP_ADDRESS=0.0.0.0:3000 \
    DEVFORGE_LOG_FORMAT=json
USER devforge
WORKDIR /var/lib/devforge
VOLUME /var/lib/devforge
EXPOSE 3000

# The server drains requests and jobs on SIGTERM before it ends.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 CMD ["devforge", "doctor", "--quick"]
ENTRYPOINT ["tini", "--", "devforge"]
CMD ["serve"]
