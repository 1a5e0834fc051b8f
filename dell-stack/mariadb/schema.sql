-- Who has a mailbox here, and which addresses lead to it. MariaDB 10.11.
-- Loaded at every start (setup.sh): each statement may be repeated, and none of them touches data that is there.
--
-- Domains, users and aliases are written by the administrator's commands; Dovecot and Postfix only read. All
-- addresses are lower case, as they are looked up.

CREATE DATABASE IF NOT EXISTS mail CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
CREATE DATABASE IF NOT EXISTS roundcube CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
USE mail;

CREATE TABLE IF NOT EXISTS schema_version (
    version INT UNSIGNED NOT NULL PRIMARY KEY,
    applied TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
INSERT IGNORE INTO schema_version (version) VALUES (1);

CREATE TABLE IF NOT EXISTS domains (
    name VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    -- A domain that is not active has no mailboxes: nobody logs in, nothing is delivered.
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT domain_is_a_lower_case_name CHECK (name REGEXP '^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$')
);

CREATE TABLE IF NOT EXISTS users (
    email VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    domain VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- With its scheme in front, so that a bare password can never be stored by mistake.
    password VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- 0 is without bound. The default is the 2,000 MB that every mailbox is promised.
    quota_octets BIGINT UNSIGNED NOT NULL DEFAULT 2097152000,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT user_has_a_domain_of_ours FOREIGN KEY (domain) REFERENCES domains (name),
    -- What may stand here becomes the name of a directory: no slash, no percent sign, no dot in front. A plus
    -- would be taken for the beginning of an extension.
    CONSTRAINT user_is_a_lower_case_address
        CHECK (email REGEXP '^[a-z0-9_][a-z0-9._-]*@[a-z0-9.-]+$' AND email LIKE CONCAT('%@', domain)),
    CONSTRAINT password_is_hashed CHECK (password REGEXP '^[{](ARGON2ID|BLF-CRYPT|SHA512-CRYPT)[}][$]')
);

CREATE TABLE IF NOT EXISTS aliases (
    -- An address, or "@example.jp" for all addresses of a domain that nobody else has.
    address VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    domain VARCHAR(253) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT alias_has_a_domain_of_ours FOREIGN KEY (domain) REFERENCES domains (name),
    CONSTRAINT alias_leads_to_a_user FOREIGN KEY (user) REFERENCES users (email) ON DELETE CASCADE,
    CONSTRAINT alias_is_a_lower_case_address
        CHECK (address REGEXP '^([a-z0-9_][a-z0-9._-]*)?@[a-z0-9.-]+$' AND address LIKE CONCAT('%@', domain))
);

-- Passwords of single devices, made by the administrator's command and shown once. A lost phone loses its own
-- password and nothing else. What stands here is the SHA-256 of 100 random bits, in hexadecimal.
CREATE TABLE IF NOT EXISTS devices (
    user VARCHAR(254) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    name VARCHAR(64) NOT NULL,
    digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (user, name),
    CONSTRAINT device_belongs_to_a_user FOREIGN KEY (user) REFERENCES users (email) ON DELETE CASCADE,
    CONSTRAINT device_password_is_hashed CHECK (digest REGEXP '^[0-9a-f]{64}$')
);

-- What delivery asks: which mailbox an address leads to. The lowest precedence wins.
CREATE OR REPLACE VIEW recipients AS
    SELECT u.email AS address, u.email AS user, u.quota_octets AS quota_octets, 1 AS precedence
    FROM users u JOIN domains d ON d.name = u.domain
    WHERE u.active AND d.active
    UNION ALL
    SELECT a.address, u.email, u.quota_octets, IF(a.address LIKE '@%', 3, 2)
    FROM aliases a
    JOIN domains d ON d.name = a.domain
    JOIN users u ON u.email = a.user
    JOIN domains ud ON ud.name = u.domain
    WHERE a.active AND d.active AND u.active AND ud.active;

-- What sending asks: as whom a user may write. The same addresses, seen from the other side.
CREATE OR REPLACE VIEW sender_logins AS
    SELECT address, user AS login FROM recipients;

-- What was asked for, or an error where nothing was. Dovecot 2.3 cannot quote an address while it has no
-- connection: it puts nothing in its place, keeps the query until MariaDB is back, and would then hear that there
-- is no such user, which it would tell the sender (550) or the phone ("wrong password"). An error means "later".
DELIMITER //
CREATE OR REPLACE FUNCTION asked(address VARCHAR(320)) RETURNS VARCHAR(320)
    DETERMINISTIC NO SQL
BEGIN
    IF address IN ('', '@') THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the query holds no address: it was made without a connection';
    END IF;
    RETURN address;
END //
DELIMITER ;
