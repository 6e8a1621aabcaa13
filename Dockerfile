# The dashboard, the commands and the functions' zip in one image: docker build .
ARG BASE_IMAGE=python:3.13-slim

FROM ${BASE_IMAGE} AS dependencies
WORKDIR /build
COPY services/dashboard/requirements.txt .
# This layer is independent of our code, so a change of the code does not install it again.
RUN python -m venv --without-pip /opt/venv \
 && python -m pip --python /opt/venv/bin/python --no-cache-dir install --quiet \
        --require-hashes --requirement requirements.txt

FROM ${BASE_IMAGE} AS function
WORKDIR /build/services/lambda
COPY services/lambda/requirements.txt services/lambda/build_zip.py ./
# A zip of the dependencies alone. The next build takes them from its cache.
RUN python build_zip.py /tmp/dependencies.zip
COPY services/lambda/alerts alerts
COPY services/lambda/inventory inventory
RUN python build_zip.py /package/function.zip

FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="inventory-stack" \
      org.opencontainers.image.description="The dashboard, the commands and the functions of the inventory pipeline" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=dependencies /opt/venv /opt/venv
WORKDIR /opt/inventory
COPY init/template.yaml ./
COPY init/deploy deploy
COPY services/lambda/build_zip.py ./
COPY services/lambda/inventory inventory
COPY services/pipes/eventbridge_pipes eventbridge_pipes
COPY services/producer/producer producer
COPY cli/inventory_cli inventory_cli
COPY services/dashboard/dashboard dashboard
COPY --from=function /package/function.zip ./
# `inventory --version` reads the metadata. The file system is read-only at run time, so Python
# compiles everything now. The volume on /function gets the owner of the folder. COPY keeps the modes
# of the checkout, which others may not read after `umask 077`.
RUN chmod -R go=rX . \
 && mkdir inventory_stack.dist-info \
 && printf 'Metadata-Version: 2.1\nName: inventory-stack\nVersion: %s\n' "${VERSION}" \
        >inventory_stack.dist-info/METADATA \
 && python -m compileall -q . \
 && install --directory --owner=10001 --group=10001 /function
USER 10001:10001
ENV PATH=/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PYTHONUNBUFFERED=1 \
    FUNCTION_ZIP=/opt/inventory/function.zip \
    INVENTORY_STATE=/tmp/inventory \
    NICEGUI_STORAGE_PATH=/tmp/nicegui
ENTRYPOINT ["python", "-m", "inventory_cli"]
