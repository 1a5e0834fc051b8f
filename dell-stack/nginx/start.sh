#!/bin/sh
# Puts this site's name and places into nginx.conf, has nginx check it, and becomes nginx.
# MAIL_HOSTNAME is needed; the rest has its place in the container, and is set by tests only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
: "${MAIL_HOSTNAME:?is not set / 設定されていません (.env)}"
case $MAIL_HOSTNAME in *[!A-Za-z0-9.-]*) echo "start: MAIL_HOSTNAME is not a host name / ホスト名ではありません" >&2; exit 2 ;; esac
: "${RUN:=/run/mxgw}" "${HTTP:=80}" "${HTTPS:=443}" "${UPSTREAM:=roundcube:80}" "${RESOLVER:=127.0.0.11}"
: "${TLS_CERT:=/etc/mxgw/tls/cert.pem}" "${TLS_KEY:=/etc/mxgw/tls/key.pem}" "${RUN_USER:=nginx}"
: "${ACCESS_LOG:=/dev/stdout}" "${MIME_TYPES:=/etc/nginx/mime.types}"

# HTTP/2 is a directive of its own since nginx 1.25.1; before, it was a word of "listen".
version=$(nginx -v 2>&1 | sed -e 's|.*nginx/||' -e 's|[^0-9.].*||')
case $version in
    0.* | 1.[0-9].* | 1.1[0-9].* | 1.2[0-4].* | 1.25.0) listen_http2=" http2" http2_on="" ;;
    *) listen_http2="" http2_on="http2 on;" ;;
esac

mkdir -p "$RUN/pages"
fill() {
    sed -e "s|@HOSTNAME@|$MAIL_HOSTNAME|g" -e "s|@RUN@|$RUN|g" -e "s|@PAGES@|$RUN/pages|g" \
        -e "s|@HTTP@|$HTTP|g" -e "s|@HTTPS@|$HTTPS|g" -e "s|@UPSTREAM@|$UPSTREAM|g" \
        -e "s|@RESOLVER@|$RESOLVER|g" -e "s|@TLS_CERT@|$TLS_CERT|g" -e "s|@TLS_KEY@|$TLS_KEY|g" \
        -e "s|@LISTEN_HTTP2@|$listen_http2|g" -e "s|@HTTP2_ON@|$http2_on|g" -e "s|@USER@|$RUN_USER|g" -e "s|@ACCESS_LOG@|$ACCESS_LOG|g" -e "s|@MIME_TYPES@|$MIME_TYPES|g" "$1"
}
fill "$here/nginx.conf" >"$RUN/nginx.conf"
for page in "$here"/pages/*; do
    fill "$page" >"$RUN/pages/$(basename "$page")"
done
chmod 755 "$RUN" "$RUN/pages"
chmod 644 "$RUN/nginx.conf" "$RUN"/pages/*
# A socket of a server that was killed would be in the way.
rm -f "$RUN/outlook.sock"
nginx -t -q -c "$RUN/nginx.conf"
exec nginx -c "$RUN/nginx.conf" -g 'daemon off;'
