// Reads the page before anybody asks, where the user has allowed it for all pages.
"use strict";

globalThis.pumiceReader.early();
