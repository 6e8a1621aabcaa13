# What engine.sh and images.sh share. Standard output is theirs: whatever is said goes to standard error.

say() { printf '%s\n' "$*" >&2; }
fail() { say "$(basename "$0"): $*"; exit 1; }

# Makes a second caller wait until the first has ended; the script itself is the lock.
one_at_a_time() { exec 9<"$0"; flock 9; }

# Installs Debian packages of this machine's own release.
install_packages() {
  [ "$(id -u)" = 0 ] || fail "$* is missing, and only root can install it"
  say "Installing $* …"
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" >/dev/null
}

# The address that this machine's own Debian packages come from.
debian_mirror() {
  local release
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$release" '$1 == release && !found { print $2; found = 1 }'
}
