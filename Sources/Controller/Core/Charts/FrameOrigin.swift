/// Whose code a frame is, told from its file.
enum FrameOrigin: String {
  /// The package under test.
  case target
  case package
  /// The standard library, the interpreter and compiled libraries.
  case standard

  /// - Parameters:
  ///   - file: As in ``StackProfile/StackFrame/file``: relative to the environment or checkout, or
  ///     `<frozen …>`, or absolute.
  ///   - importName: The package under test as it is imported, such as `codeflash` or `google.auth`.
  init(file: String, importName: String) {
    var parts = file.split(separator: "/").map(String.init)
    let packages = parts.lastIndex { $0 == "site-packages" || $0 == "dist-packages" }
    if let packages { parts.removeFirst(packages + 1) }
    if parts.first == "src" { parts.removeFirst() }
    let target = importName.split(separator: ".").map(String.init)
    let isModule = !target.isEmpty && parts.count == target.count && parts.last == target.last.map { $0 + ".py" }
    if !target.isEmpty, parts.starts(with: target) || isModule && parts.dropLast().elementsEqual(target.dropLast()) {
      self = .target
    } else if packages != nil {
      self = .package
    } else {
      self = Self.isStandard(parts, file: file) ? .standard : .package
    }
  }

  private static func isStandard(_ parts: [String], file: String) -> Bool {
    guard let first = parts.first, let last = parts.last, !file.hasPrefix("<") else { return true }
    // A folder such as lib/python3.12 outside of site-packages; compiled code without a package around it.
    if parts.contains(where: { $0.hasPrefix("python3") }) { return true }
    if last.hasSuffix(".c") || last.contains(".so") && parts.count == 1 || file.hasPrefix("/") && last.contains(".so") {
      return true
    }
    return standardModules.contains(first.hasSuffix(".py") ? String(first.dropLast(3)) : first)
  }

  /// The modules of `sys.stdlib_module_names` (Python 3.10 to 3.14) that are written in Python and show up in stacks.
  /// Profilers name their files relative to `sys.path`: `json/decoder.py`.
  private static let standardModules = Set(
    """
    _collections_abc _colorize _compat_pickle _py_abc _pydatetime _pydecimal _pyio _pyrepl _strptime _sysconfigdata \
    _threading_local _weakrefset abc annotationlib argparse ast asyncio base64 bdb bisect bz2 cProfile calendar cmd \
    code codecs codeop collections colorsys compileall compression concurrent configparser contextlib contextvars \
    copy copyreg csv ctypes curses dataclasses datetime decimal difflib dis distutils doctest email encodings \
    ensurepip enum filecmp fileinput fnmatch fractions ftplib functools genericpath getopt getpass gettext glob \
    graphlib gzip hashlib heapq hmac html http imaplib imp importlib inspect io ipaddress json keyword linecache \
    locale logging lzma mailbox mimetypes modulefinder multiprocessing netrc ntpath nturl2path numbers opcode \
    operator optparse os pathlib pdb pickle pickletools pkgutil platform plistlib poplib posixpath pprint profile \
    pstats pty py_compile pyclbr pydoc queue quopri random re reprlib rlcompleter runpy sched secrets selectors \
    shelve shlex shutil signal site smtplib socket socketserver sqlite3 sre_compile sre_constants sre_parse ssl stat \
    statistics string stringprep struct subprocess symtable sysconfig tabnanny tarfile tempfile textwrap threading \
    timeit token tokenize tomllib trace traceback tracemalloc tty types typing unittest urllib uuid venv warnings \
    wave weakref webbrowser wsgiref xml xmlrpc zipapp zipfile zipimport zoneinfo
    """.split(separator: " ").map(String.init))
}
