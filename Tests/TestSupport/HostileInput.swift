/// Texts that somebody who means harm would put where a name, a ref, a path or a setting is asked for. Where one is run as a
/// program, it makes the canary file.
public enum HostileInput {
  /// At least two hundred, each once.
  public static func all(canary: String) -> [String] {
    let commands = ["touch \(canary)", "touch${IFS}\(canary)"]
    let wrapped = commands.flatMap { run in
      [
        "$(\(run))", "`\(run)`", ";\(run)", "; \(run);", "&& \(run)", "|| \(run)", "| \(run)", "& \(run) &",
        "\n\(run)\n", "\r\n\(run)", "';\(run);'", "\";\(run);\"", "'$(\(run))'", "\"$(\(run))\"", "${x:-$(\(run))}",
        "$((\(run)))", "<(\(run))", ">(\(run))", "{\(run)}", "!\(run)", "%0a\(run)", "\\n\(run)", "x$(\(run))y",
        "main;\(run)", "main$(\(run))", "main`\(run)`", "main|\(run)", "main\n\(run)", "feature/$(\(run))",
        "path:$(\(run))", "path:x;\(run)", "codeflash==1.0;\(run)", "codeflash==$(\(run))", "ssh://$(\(run))@host",
        "ssh://user@$(\(run))", "ssh://user@host;\(run)", "ssh://user@-oProxyCommand=\(run)", "ext::sh -c \(run)",
        "__import__('os').system('\(run)')", "os; import os; os.system('\(run)')", "x'); import os; os.system('\(run)",
        "3.12; \(run)", "3.12$(\(run))",
      ]
    }
    let options = [
      "-", "--", "---", "-x", "-h", "--help", "--version", "--upload-pack=touch \(canary)", "-u touch \(canary)",
      "--receive-pack=touch \(canary)", "--exec=touch \(canary)", "-oProxyCommand=touch \(canary)",
      "-oProxyCommand=touch${IFS}\(canary)", "-c", "-c core.sshCommand=touch", "--config=core.fsmonitor=touch",
      "--output=\(canary)", "-o\(canary)", "--open-files-in-pager=touch", "--git-dir=/", "--work-tree=/", "-C/", "-L",
      "-R 80:localhost:80", "-D 1080", "-F/etc/passwd", "--index-url=http://evil.example", "-r/etc/passwd",
      "--requirement=/etc/passwd", "-e .", "--editable=/tmp", "--query=[]", "--debug", "@/etc/passwd",
      "@\(canary)", "--ids", "--subscription=x", "--checkpoint-action=exec=touch \(canary)",
    ]
    let paths = [
      "..", "../", "../..", "../../etc/passwd", "../../../../../../tmp/x", "a/../../b", "./../x", "/etc/passwd",
      "/dev/null", "/dev/zero", "//etc", "~", "~root", "~/.ssh/id_ed25519", "path:../../../..", "path:/",
      "path:/dev/zero", "path:/etc/passwd", "path:-x", "path:", "path:\u{0}", "C:\\Windows", "\\\\host\\share", "CON",
      ".git", ".git/config", ".", ".hidden", "a/.git/hooks/post-checkout", "file:///etc/passwd", "refs/heads/../x",
      "HEAD^{/x}", "@{-1}", "main@{upstream}", ":/fix", "^main", "main..head", "main...head", "refs/heads/*", "*", "?",
      "[a-z]", "{a,b}",
    ]
    let formats = [
      "%s", "%n", "%s%s%s%n", "%x%x%x", "%p", "%00", "%2e%2e%2f", "{0}", "{}", "${HOME}", "$HOME", "$0", "$$", "#",
      "#{x}", "<%= 7 %>", "{{7*7}}", "=1+1", "+1+1", "@SUM(1)", "<script>alert(1)</script>", "<img src=x onerror=y>",
      "\"><svg onload=y>", "&lt;", "' OR '1'='1", "'; DROP TABLE runs;--", "]]>", "<!--", "![x](http://evil.example)",
      "@octocat", "#1", "::set-env name=PATH::x", "::add-mask::x", "::stop-commands::x", "::error::x",
      "zzz\";echo${IFS}\"hello\";#",
    ]
    let letters = [
      "\u{0}", "a\u{0}b", "main\u{0}", "\t", "\n", "\r", "\u{1b}[2J", "\u{1b}]0;title\u{7}", "\u{1b}[31mred",
      "\u{7}", "\u{8}\u{8}", "\u{7f}", "\u{9b}2J", "a\u{202e}b", "\u{202a}", "\u{2066}x\u{2069}", "\u{200b}",
      "a\u{200d}b", "\u{feff}main", "\u{2028}", "\u{2029}", "\u{61c}", "\u{e0041}", "😀", "👩‍👩‍👧‍👦", "é", "e\u{301}",
      "漢字", "ﷺ", "Ａ", "ｍａｉｎ", "\u{fffd}", "\u{ffff}", "a b", " ", " main", "main ", "\u{a0}", "\u{3000}", "'", "\"",
      "`",
      "\\", "\\\\", "$", "&", ";", "|", "<", ">", "(", ")", "!",
    ]
    let long = [
      String(repeating: "a", count: 4096), String(repeating: "a/", count: 2048), String(repeating: "../", count: 1365),
      String(repeating: "é", count: 2048), String(repeating: "-", count: 4096), String(repeating: "9", count: 4096),
      String(repeating: "\u{301}", count: 1024), "path:" + String(repeating: "a", count: 4096),
      "codeflash==" + String(repeating: "9", count: 4096), "ssh://u@" + String(repeating: "h", count: 4096),
    ]
    var seen: Set<[UInt8]> = []
    // By their bytes: two texts that only look alike are two.
    return (wrapped + options + paths + formats + letters + long).filter { seen.insert(Array($0.utf8)).inserted }
  }
}
