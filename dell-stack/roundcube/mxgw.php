<?php

// Roundcube 1.6 for this house. Included by the image's own config.inc.php after the settings it makes from the
// environment (database and directories), so what stands here holds.

$need = static function (string $name, int $least = 1): string {
    $file = getenv($name . '_FILE');
    $value = $file ? trim((string) @file_get_contents($file)) : (string) getenv($name);
    if (strlen($value) < $least) {
        error_log("roundcube: $name is missing or shorter than $least characters (.env)");
        http_response_code(503);
        exit(1);
    }
    return $value;
};
$hostname = $need('MAIL_HOSTNAME');

// -- where it is seen -----------------------------------------------------------------------------------------
$config['use_https'] = true;
$config['trusted_host_patterns'] = ['^' . preg_quote($hostname) . '$'];
// What nginx says of the client is believed, for the log and the rate limit; nobody else reaches this program.
$config['proxy_whitelist'] = gethostbynamel(getenv('WEBMAIL_PROXY') ?: 'nginx') ?: [];
$config['session_lifetime'] = 60;
$config['session_samesite'] = 'Lax';
$config['login_lc'] = 2;
$config['login_username_filter'] = 'email';
$config['login_username_maxlen'] = 254;
$config['login_password_maxlen'] = 128;
$config['login_rate_limit'] = 3;
$config['login_autocomplete'] = 2;
$config['des_key'] = $need('ROUNDCUBE_DES_KEY', 32);
$config['cipher_method'] = 'AES-256-CBC';
$config['enable_installer'] = false;
$config['log_driver'] = 'stdout';
$config['log_logins'] = true;
$config['display_product_info'] = 0;
$config['product_name'] = 'ウェブメール';
$config['skin_logo'] = ['*' => 'data:image/svg+xml;base64,' . base64_encode(
    '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="72" viewBox="0 0 24 18" fill="none"'
    . ' stroke="#37beff" stroke-width="1.5"><rect x="1" y="1" width="22" height="16" rx="2"/>'
    . '<path d="m1.5 2.5 10.500 8 10.500-8"/></svg>'
)];
$config['blankpage_url'] = 'about:blank';

// -- the servers: certificates are checked against the name that everybody uses -------------------------------
$tls = ['ssl' => ['verify_peer' => true, 'verify_peer_name' => true, 'peer_name' => $hostname]];
if (getenv('MAIL_CA_FILE')) {
    $tls['ssl']['cafile'] = getenv('MAIL_CA_FILE');
}
$config['imap_host'] = getenv('WEBMAIL_IMAP') ?: 'ssl://dovecot:993';
$config['imap_conn_options'] = $tls;
$config['imap_timeout'] = 60;
$config['smtp_host'] = getenv('WEBMAIL_SMTP') ?: 'ssl://postfix:465';
$config['smtp_conn_options'] = $tls;
// A large message passes the virus scanner before Postfix answers.
$config['smtp_timeout'] = 150;
$config['smtp_user'] = '%u';
$config['smtp_pass'] = '%p';
$config['smtp_helo_host'] = $hostname;
$config['managesieve_host'] = getenv('WEBMAIL_SIEVE') ?: 'tls://dovecot:4190';
$config['managesieve_conn_options'] = $tls;
$config['managesieve_vacation'] = 1;
$config['managesieve_script_name'] = 'roundcube';
// Dovecot has these off: nothing is bounced or passed on once it was accepted.
$config['managesieve_disabled_extensions'] = ['reject', 'ereject', 'enotify', 'duplicate'];
$config['managesieve_disabled_actions'] = ['redirect'];
$config['managesieve_raw_editor'] = false;

// -- what the plugins may ---------------------------------------------------------------------------------------
$config['plugins'] = [
    'archive', 'attachment_reminder', 'managesieve', 'markasjunk', 'mxgw_sharing', 'password', 'zipdownload',
];
$config['zipdownload_selection'] = true;
// Moving is all: Dovecot teaches Rspamd whenever a message goes into Junk or leaves it, whatever program moves it.
$config['markasjunk_learning_driver'] = null;
$config['password_driver'] = 'sql';
$config['password_db_dsn'] = 'mysql://' . rawurlencode(getenv('ROUNDCUBEMAIL_DB_USER') ?: 'roundcube') . ':'
    . rawurlencode($need('ROUNDCUBEMAIL_DB_PASSWORD')) . '@' . (getenv('ROUNDCUBEMAIL_DB_HOST') ?: 'mariadb')
    . ':' . (getenv('ROUNDCUBEMAIL_DB_PORT') ?: '3306') . '/mail';
$config['password_query'] = 'UPDATE users SET password = %P WHERE email = %u';
$config['password_algorithm'] = 'blowfish-crypt';
$config['password_algorithm_options'] = ['cost' => 12];
$config['password_algorithm_prefix'] = '{BLF-CRYPT}';
$config['password_confirm_current'] = true;
$config['password_minimum_length'] = 8;

// -- mail ---------------------------------------------------------------------------------------------------------
// Folders as Dovecot has them (SPECIAL-USE); they are named in the reader's language on the screen only.
$config['drafts_mbox'] = 'Drafts';
$config['sent_mbox'] = 'Sent';
$config['junk_mbox'] = 'Junk';
$config['trash_mbox'] = 'Trash';
$config['archive_mbox'] = 'Archive';
$config['create_default_folders'] = false;
// The relay takes 30 MB. Roundcube reckons base64 as 1.33 where it is 1.37, so 27 MB here are 29.1 MB there,
// and 20 MB of files. It says so in the reader's language, before a file is sent where the browser knows its size.
$config['max_message_size'] = '27M';
$config['max_recipients'] = 200;
$config['mdn_requests'] = 0;
$config['http_received_header'] = false;
// File names in Japanese that Outlook reads, too.
$config['mime_param_folding'] = 1;
$config['default_charset'] = 'ISO-2022-JP';
$config['show_images'] = 0;
$config['enable_spellcheck'] = false;

// -- the reader -----------------------------------------------------------------------------------------------------
$config['language'] = 'ja_JP';
$config['timezone'] = 'Asia/Tokyo';
$config['date_format'] = 'Y/m/d';
$config['date_long'] = 'Y/m/d H:i';
$config['time_format'] = 'H:i';
$config['skin'] = 'elastic';
$config['reply_mode'] = 1;
$config['draft_autosave'] = 60;
$config['preview_pane'] = true;
$config['htmleditor'] = 0;
$config['quota_zero_as_unlimited'] = true;
