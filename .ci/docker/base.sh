# The base image: what python:3.13-slim offers, from Debian's packages, and in it this machine's
# ways to the registries: its certificates, its mirror of Debian, its index of Python packages.
# So it is for this machine alone. Sourced by images.sh.

SUITE=trixie
PACKAGES=ca-certificates,python3,python3-pip,python3-venv,python-is-python3
AUTHORITIES=/usr/local/share/ca-certificates
MIRROR=${DEBIAN_MIRROR:-$(debian_mirror)}

pip_configuration() {
  local index=${PIP_INDEX_URL:-$(python3 -m pip config get global.index-url 2>/dev/null || true)}
  printf '%s\n' '[global]' 'cert = /etc/ssl/certs/ca-certificates.crt' \
    'disable-pip-version-check = true' 'root-user-action = ignore' ${index:+"index-url = $index"}
}

# All that the base is made of but the packages, which Debian renews as it likes.
base_inputs() {
  cat base.sh
  echo "$MIRROR"
  pip_configuration
  find "$AUTHORITIES" -name '*.crt' -exec cat {} +
}

# Its own way of packages into an image, for `docker build` starts from one.
make_base() {
  local tag=$1 label=$2
  command -v mmdebstrap >/dev/null || install_packages mmdebstrap
  pip_configuration >"$WORK/pip.conf"
  mmdebstrap --quiet --variant=minbase --include="$PACKAGES" \
    --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
    --customize-hook="copy-in $AUTHORITIES $(dirname "$AUTHORITIES")" \
    --customize-hook='chroot "$1" update-ca-certificates' \
    --customize-hook="upload $WORK/pip.conf /etc/pip.conf" \
    "$SUITE" - "$MIRROR" |
    docker import --change "LABEL $label" --change 'CMD ["python3"]' --change 'ENV LANG=C.UTF-8' \
      --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - "$tag"
}
