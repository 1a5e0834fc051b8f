# shellcheck shell=bash
# What install.sh says and asks, in English or Japanese; the frame that every step runs in.

# The language of whoever sits there, or English.
language() {
    case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in ja*) echo ja ;; *) echo en ;; esac
}

# tell ENGLISH JAPANESE: the one that is understood here.
tell() {
    if [ "$LANGUAGE_HERE" = ja ]; then printf '%s\n' "$2"; else printf '%s\n' "$1"; fi
}

colour() { if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\033[%sm%s\033[0m' "$1" "$2"; else printf '%s' "$2"; fi; }

good() { printf '%s %s%s\n' "$(colour 32 '✔')" "$1" "${NOTE:+ ($NOTE)}"; }
bad() {
    printf '%s %s\n' "$(colour 31 '✖')" "$1"
    [ -z "$TROUBLE" ] || printf '    %s\n' "$TROUBLE"
    [ -z "$REMEDY" ] || printf '    %s %s\n' "$(tell 'What to do:' '対処：')" "${REMEDY//$'\n'/$'\n'        }"
}
doing() { printf '%s %s\n' "$(colour 36 '…')" "$1"; }
warn() { printf '    %s %s\n' "$(colour 33 '!')" "$1"; }

# trouble ENGLISH JAPANESE REMEDY-ENGLISH REMEDY-JAPANESE: why a step is not in place. Always fails.
trouble() {
    TROUBLE=$(tell "$1" "$2")
    REMEDY=$(tell "${3:-}" "${4:-}")
    return 1
}

# note ENGLISH JAPANESE: a word beside a step that is in place.
note() { NOTE=$(tell "$1" "$2"); }

# step NAME ENGLISH JAPANESE: in place already? Else make it, and look again. Ends the run where that fails.
step() {
    local name=$1 title
    title=$(tell "$2" "$3")
    NOTE='' TROUBLE='' REMEDY='' WARNINGS=()
    if "check_$name"; then
        good "$title"
    elif [ "$MODE" = check ]; then
        bad "$title"
        MISSING=$((MISSING + 1))
    elif ! declare -F "make_$name" >/dev/null; then
        bad "$title"
        stopped
    else
        doing "$title"
        TROUBLE='' REMEDY=''
        if "make_$name" && TROUBLE='' && "check_$name"; then
            good "$title"
            MADE=$((MADE + 1))
        else
            bad "$title"
            stopped
        fi
    fi
    local warning
    for warning in "${WARNINGS[@]}"; do warn "$warning"; done
}

# Ctrl-C, at a question or while something runs.
interrupted() {
    echo
    tell "Interrupted. Start install.sh again: it goes on from there." "中止しました。install.sh をもう一度実行すると、続きから進みます。"
    exit 130
}

stopped() {
    tell "Stopped here. Mend it and start install.sh again: what is done stays done." \
        "ここで止まりました。直してから install.sh をもう一度実行してください。終わった手順はそのまま残ります。"
    [ ! -s "$LOG" ] || tell "The whole story is in $LOG" "詳しい記録：$LOG"
    exit 1
}

# logged COMMAND...: its words go into the log; where it fails, the last of them become the trouble.
logged() {
    local start
    printf -- '-- %s\n' "$*" >>"$LOG"
    start=$(wc -l <"$LOG")
    if "$@" </dev/null >>"$LOG" 2>&1; then return 0; fi
    TROUBLE="$(tell "failed: $*" "失敗したコマンド：$*")"$'\n'"$(tail -n "+$((start + 1))" "$LOG" | tail -n 5 | sed 's/^/    | /')"
    return 1
}

# -- answers ------------------------------------------------------------------------------------------------

# NAME=VALUE lines, as text: nothing of it is executed.
answer() { [ -z "$ANSWERS" ] || sed -n "s/^$1=//p" "$ANSWERS" | tail -n 1; }

MOST_TRIES=5

# ask NAME CHECK DEFAULT ENGLISH JAPANESE [secret]: sets REPLY. CHECK is a function that takes the answer and
# says what is wrong with it (trouble), or nothing. The answers file goes first; without a terminal it is all.
ask() {
    local name=$1 check=$2 default=$3 question try
    question=$(tell "$4" "$5")
    if [ -n "$ANSWERS" ] && grep -q "^$name=" "$ANSWERS"; then
        REPLY=$(answer "$name")
        REPLY=${REPLY:-$default}
        TROUBLE=''
        "$check" "$REPLY" && return 0
        REMEDY=$(tell "Correct $name in $ANSWERS." "$ANSWERS の $name を直してください。")
        return 1
    fi
    if [ -n "$ANSWERS" ] || [ ! -t 0 ]; then
        if [ -n "$default" ] && "$check" "$default"; then
            REPLY=$default
            return 0
        fi
        trouble "Nobody is here to answer: $question" "答える人がいません：$question" \
            "Write $name=... into a file (chmod 600) and start install.sh --answers FILE, or start it at a terminal." \
            "ファイル（chmod 600）に $name=... と書いて install.sh --answers ファイル で実行するか、端末で実行してください。"
        return 1
    fi
    # From the first question to the last, so that what is typed early is not shown either.
    if [ "${6:-}" = secret ]; then
        stty -echo
        trap 'stty echo' EXIT
    fi
    asked "$check" "$default" "$question" "${6:-}"
    try=$?
    [ "${6:-}" != secret ] || stty echo
    return "$try"
}

# A Japanese keyboard writes letters, digits and signs of full width where nobody looks.
half_width() {
    LC_ALL=C.UTF-8 sed 'y/　ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ０１２３４５６７８９＠．，－＿＋、/ ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789@.,-_+,/'
}

asked() {
    local check=$1 default=$2 question=$3 try typed
    for ((try = 0; try < MOST_TRIES; try++)); do
        printf '  ? %s%s: ' "$question" "${default:+ [$default]}"
        read -r typed || {
            trouble "The input ended." "入力が終わりました。" "Start install.sh again." "もう一度実行してください。"
            return 1
        }
        [ "$4" != secret ] || echo
        REPLY=${typed:-$default}
        # Of a pasted answer, the blanks around it and the return that some terminals add.
        [ "$4" = secret ] || REPLY=$(printf '%s' "$REPLY" | half_width)
        REPLY=$(printf '%s' "$REPLY" | tr -d '\r' | sed 's/^[[:space:]]*//; s/[[:space:]]*$//')
        TROUBLE=''
        "$check" "$REPLY" && return 0
        warn "$TROUBLE"
    done
    trouble "No usable answer after $MOST_TRIES tries." "$MOST_TRIES 回とも使えない答えでした。" \
        "Find the right value first, then start install.sh again." "正しい値を確かめてから、もう一度実行してください。"
}

# agreed NAME ENGLISH JAPANESE: a question that only a yes answers.
agreed() {
    ask "$1" yes_or_no n "$2 (y/n)" "$3（y/n）" || return 1
    case $REPLY in [yY]* | はい) return 0 ;; *) return 1 ;; esac
}
yes_or_no() {
    case $1 in
        y | Y | yes | はい | n | N | no | いいえ) return 0 ;;
        *) trouble "Answer y or n." "y か n で答えてください。" ;;
    esac
}
