"""The HTML that Django and WordPress make of their snippets. Neither is a dependency; both were tried by hand."""

from __future__ import annotations

import re
import shutil
import subprocess

# As Django 5.2 rendered them for a visitor who is logged in.
RENDERED = {
    "{% if user.is_authenticated %}": "",
    "{% endif %}": "",
    "{{ user.pk }}": "4711",
    "{{ request.resolver_match.view_name|escapejs }}": "shop:pricing",
}
# The functions of WordPress that the snippet calls: they print what they would put into the page.
WORDPRESS = """<?php
function add_action( $hook, $action ) { if ( $hook === 'wp_enqueue_scripts' ) { $action(); } }
function wp_enqueue_script( $name, $address, $needs, $version, $in_footer ) { echo "<script src='$address'></script>"; }
function wp_add_inline_script( $name, $text ) { echo "<script>$text</script>"; }
?>"""


def by_django(template: str) -> str:
    """Return a template with its tags replaced; each of them must be known."""
    for tag, text in RENDERED.items():
        assert tag in template
        template = template.replace(tag, text)
    assert not re.search(r"\{[{%]", template)
    return template


def by_wordpress(snippet: str) -> str:
    """Return what the snippet adds to a page: by PHP where it is installed, else by the snippet's form."""
    php = shutil.which("php")
    if php is not None:
        return subprocess.run([php], input=WORDPRESS + snippet, capture_output=True, text=True, check=True).stdout
    (address,) = re.findall(r"wp_enqueue_script\( '\w+', '([^']+)'", snippet)
    (text,) = re.findall(r"wp_add_inline_script\( '\w+', '([^']+)' \)", snippet)
    return f"<script src='{address}'></script><script>{text}</script>"
