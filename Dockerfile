# Ringback as an image: docker build -t ringback .
# How to run it: deploy/compose.yaml and docs/operations.md.

# 1. Everything that is needed to build, which stays behind.
FROM node:20-slim AS build
WORKDIR /app
# The lock alone first: as long as it is the same, Docker keeps the layer with the packages.
COPY package.json package-lock.json ./
# --ignore-scripts: `prepare` would build before the sources are there. No dependency has an install script.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# 2. What runs, without compilers and test tools.
FROM node:20-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force

FROM node:20-slim
ENV NODE_ENV=production \
    # From outside the container; publish the port where it is to be reached, and no further.
    HOST=0.0.0.0 \
    # The API stays inside unless it is told otherwise: API_HOST=0.0.0.0 and a published port.
    MEDIA_PORT=10000 \
    DATA_DIR=/data
WORKDIR /app
COPY package.json README.md CHANGELOG.md LICENSE ./
COPY assets ./assets
COPY --from=modules /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# `ringback …` works in the container: docker compose exec ringback ringback keys list
RUN ln -s /app/dist/cli/main.js /usr/local/bin/ringback \
  && mkdir /data && chown node:node /data
# Not root: the image's own user, uid 1000.
USER node
VOLUME /data
# Webhook, API, and one UDP port for the media of all calls.
EXPOSE 3000 3001 10000/udp
# The drain: SIGTERM takes no new call and waits for the running ones. Give it time: stop_grace_period, --stop-timeout.
STOPSIGNAL SIGTERM
# Alive, not ready: a process that drains is well and must not be killed for it. Ready is /readyz, for load balancers.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 3000}/healthz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# node itself is process 1: it handles SIGTERM and SIGINT, and every program that it starts it waits for. No shell stands between.
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
