<?php

// What is too large to attach: Roundcube's own messages say so, and here they say what to do instead.
// 添付できない大きさのとき、代わりの送り方も案内します。

class mxgw_sharing extends rcube_plugin
{
    public $task = 'mail';

    private const GUIDES = [
        'ja_JP' => '大きなファイルは、Google ドライブや OneDrive などに置き、共有リンクを本文に書いてお送りください。',
        'en_US' => 'Please put large files on Google Drive, OneDrive or the like, and send the link instead.',
    ];

    private const MESSAGES = ['filesizeerror', 'msgsizeerror', 'msgsizeerrorfwd', 'smtpsizeerror', 'maxuploadsize'];

    public function init()
    {
        // The reader's language is known from here on.
        $this->add_hook('startup', [$this, 'guide']);
    }

    public function guide($args)
    {
        $roundcube = rcmail::get_instance();
        $language = $_SESSION['language'] ?? 'en_US';
        $guide = self::GUIDES[$language] ?? self::GUIDES['en_US'];
        $texts = [];
        foreach (self::MESSAGES as $name) {
            $texts[$name] = $roundcube->gettext($name) . ' ' . $guide;
        }
        $roundcube->load_language($language, [], $texts);
        return $args;
    }
}
