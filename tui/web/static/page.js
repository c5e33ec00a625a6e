// The page: a terminal on a WebSocket. The app behind it is the same as in a terminal.

const nonce = document.querySelector("script[nonce]").nonce;

// xterm.js writes its colours into style elements and attributes, which the policy of
// the page forbids: the elements get its nonce, and attributes go the way that a policy
// permits to scripts.
const createElement = document.createElement;
document.createElement = function (name, ...more) {
    const element = createElement.call(this, name, ...more);
    if (element instanceof HTMLStyleElement) element.nonce = nonce;
    return element;
};
const setAttribute = Element.prototype.setAttribute;
Element.prototype.setAttribute = function (name, value) {
    if (name === "style") this.style.cssText = value;
    else setAttribute.call(this, name, value);
};

const { Terminal } = await import("./xterm.mjs");
const { FitAddon } = await import("./addon-fit.mjs");
const { Unicode11Addon } = await import("./addon-unicode11.mjs");

const FONT = 15; // pixels; smaller where 80 columns would not fit
const LEAST_FONT = 5;
const COLUMNS = 80;
const KEPT = 200; // keys that are kept until there is a connection
const RETRY = 250; // milliseconds until the first try to connect again
const LONGEST_RETRY = 15000;
const LEFT = 4000; // close codes: see tui/web/server.py

const place = document.getElementById("terminal");
const notice = document.getElementById("notice");
const terminal = new Terminal({
    allowProposedApi: true, // for unicode11
    fontFamily: "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace",
    fontSize: FONT,
    scrollback: 0,
    theme: { background: "#111111" },
    linkHandler: {
        activate(_, address) {
            if (/^https?:\/\//i.test(address)) open(address, "_blank", "noopener,noreferrer");
        },
    },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new Unicode11Addon());
terminal.unicode.activeVersion = "11"; // else emoji are one column wide
terminal.open(place);
terminal.focus();

let socket = null;
let retry = RETRY;
let timer = 0;
let connecting = false;
let waits = false; // for the user, before the next try

function tell(text) {
    notice.textContent = text;
    notice.hidden = !text;
}

// -- size

function resize() {
    const seen = window.visualViewport;
    if (seen) place.style.height = `${Math.floor(seen.height)}px`; // above a phone's keyboard
    terminal.options.fontSize = FONT;
    let size = fit.proposeDimensions();
    for (let font = FONT; size && size.cols < COLUMNS && font > LEAST_FONT; ) {
        font = Math.max(LEAST_FONT, font - 0.5);
        terminal.options.fontSize = font;
        size = fit.proposeDimensions();
    }
    if (size) terminal.resize(size.cols, size.rows);
}

let resizing = 0;
function resizeSoon() {
    cancelAnimationFrame(resizing);
    resizing = requestAnimationFrame(resize);
}
addEventListener("resize", resizeSoon);
window.visualViewport?.addEventListener("resize", resizeSoon);
terminal.onResize(({ cols, rows }) => send(JSON.stringify({ columns: cols, rows })));

// -- keys

terminal.attachCustomKeyEventHandler((event) => {
    const { ctrlKey: ctrl, altKey: alt, shiftKey: shift, metaKey: meta, key, code } = event;
    if (key === "Enter" && shift && !ctrl && !alt && !meta) {
        if (event.type === "keydown") terminal.input("\x1b\r"); // a new line
        event.preventDefault();
        return false;
    }
    // What people want of the browser: paste, reload, full screen, its tools.
    if (ctrl && !alt && code === "KeyV") return false;
    if (["F5", "F11", "F12"].includes(key)) return false;
    return true;
});

const encoder = new TextEncoder();
let typed = []; // while there is no connection
terminal.onData((text) => type(encoder.encode(text)));
terminal.onBinary((text) => type(Uint8Array.from(text, (c) => c.charCodeAt(0))));

function type(data) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(data);
    else if (!waits && typed.length < KEPT) typed.push(data);
}

function send(data) {
    if (socket?.readyState === WebSocket.OPEN) socket.send(data);
}

// The app copies by OSC 52. What is in the clipboard is never told.
terminal.parser.registerOscHandler(52, (data) => {
    const copied = data.slice(data.indexOf(";") + 1);
    if (copied === "?") return true;
    try {
        const bytes = Uint8Array.from(atob(copied), (c) => c.charCodeAt(0));
        navigator.clipboard?.writeText(new TextDecoder().decode(bytes)).catch(() => {});
    } catch {
        // not base64
    }
    return true;
});

// The app tells which conversation it shows (tui/app/terminal/page.py); a reload opens that one.
terminal.parser.registerOscHandler(5113, (id) => {
    if (/^[\w-]{1,64}$/.test(id)) history.replaceState(null, "", id);
    return true;
});

// -- the connection

async function connect() {
    if (connecting) return;
    connecting = true;
    clearTimeout(timer);
    waits = false;
    try {
        const answer = await fetch(location.href, { cache: "no-store" });
        if (answer.status === 403) {
            stop("The server has been started anew: open the address that it printed.");
            return;
        }
    } catch {
        connectLater();
        return;
    }
    const address = new URL(location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.pathname += "/ws";
    address.search = `?columns=${terminal.cols}&rows=${terminal.rows}`;
    address.hash = "";
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    let heard = false;
    socket.onmessage = ({ data }) => {
        if (!heard) {
            heard = true;
            retry = RETRY;
            terminal.reset();
            tell("");
            // It may have changed on the way.
            send(JSON.stringify({ columns: terminal.cols, rows: terminal.rows }));
        }
        terminal.write(new Uint8Array(data));
    };
    socket.onopen = () => {
        connecting = false;
        typed.forEach((data) => socket.send(data));
        typed = [];
    };
    socket.onclose = ({ code, reason }) => {
        connecting = false;
        if (code >= LEFT) stop(`${reason} Press Enter or click here to open it again.`);
        else connectLater();
    };
}

function stop(text) {
    connecting = false;
    waits = true;
    tell(text);
}

function connectLater() {
    connecting = false;
    tell("Not connected; trying again ...");
    clearTimeout(timer);
    timer = setTimeout(connect, retry * (0.75 + Math.random() / 2));
    retry = Math.min(retry * 2, LONGEST_RETRY);
}

function again() {
    retry = RETRY;
    if (waits || socket?.readyState !== WebSocket.OPEN) connect();
}
notice.addEventListener("click", again);
addEventListener("online", () => !waits && notice.hidden === false && again());
addEventListener("keydown", (event) => waits && event.key === "Enter" && again(), true);

resize();
connect();
