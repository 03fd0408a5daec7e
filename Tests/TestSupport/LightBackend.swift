/// The least of a Python build backend (PEP 517, PEP 660): projects of tests install with it at once, without setuptools.
public enum LightBackend {
  /// For `pyproject.toml`; the code is to stand beside that as `backend.py`.
  public static let buildSystem = """
    [build-system]
    requires = []
    build-backend = "backend"
    backend-path = ["."]
    """

  /// - Parameters:
  ///   - source: the folder that holds the module, seen from the project's.
  ///   - command: the console script and what it calls, as `entry_points.txt` has it.
  public static func code(
    name: String, version: String, source: String, module: String, command: String, dependencies: [String] = []
  ) -> String {
    """
    import os, zipfile

    def write(wheel_directory, files):
        name = "\(name)-\(version)-py3-none-any.whl"
        info = "\(name)-\(version).dist-info/"
        needs = "".join("Requires-Dist: " + each + "\\n" for each in \(dependencies))
        files = {
            **files,
            info + "METADATA": "Metadata-Version: 2.1\\nName: \(name)\\nVersion: \(version)\\n" + needs,
            info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
            info + "entry_points.txt": "[console_scripts]\\n\(command)\\n",
        }
        files[info + "RECORD"] = "".join(each + ",,\\n" for each in [*files, info + "RECORD"])
        with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
            for path, text in files.items():
                wheel.writestr(path, text)
        return name

    def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
        return write(wheel_directory, {"\(name).pth": os.path.abspath("\(source)") + "\\n"})

    def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
        files = {}
        for folder, _, names in os.walk("\(source)"):
            for path in (os.path.join(folder, name) for name in names if name.endswith(".py")):
                inside = os.path.relpath(path, "\(source)")
                if inside == "\(module).py" or inside.startswith("\(module)/"):
                    with open(path, encoding="utf-8") as file:
                        files[inside] = file.read()
        return write(wheel_directory, files)

    """
  }
}
