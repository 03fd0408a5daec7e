import Foundation
import SystemPackage
import Yams

/// YAML that a person wrote, and where it stands.
struct YAMLText {
  var text: String
  var place: SettingPlace

  /// More than anybody writes by hand; a wrong path should not be read to its end.
  private static let sizeLimit = 1 << 20

  init(text: String, place: SettingPlace) {
    self.text = text
    self.place = place
  }

  /// Reads a file. `name` is how errors call it.
  init(file: FilePath, calledFile name: String) throws(SettingsError) {
    place = .file(name, line: nil, column: nil)
    do {
      let descriptor = try FileDescriptor.open(file, .readOnly)
      defer { try? descriptor.close() }  // opened for reading: nothing can be lost
      let handle = FileHandle(fileDescriptor: descriptor.rawValue, closeOnDealloc: false)
      let data = try handle.read(upToCount: Self.sizeLimit + 1) ?? Data()
      guard data.count <= Self.sizeLimit else {
        throw SettingsError(fault: .unreadableFile("it is larger than 1 MiB"), place: place)
      }
      guard let text = String(data: data, encoding: .utf8) else {
        throw SettingsError(fault: .unreadableFile("it is not UTF-8 text"), place: place)
      }
      self.text = text
    } catch let error as SettingsError {
      throw error
    } catch Errno.noSuchFileOrDirectory {
      throw SettingsError(fault: .missingFile, place: place)
    } catch let error as Errno {
      throw SettingsError(fault: .unreadableFile(error.description), place: place)
    } catch {
      throw SettingsError(fault: .unreadableFile("it is a folder, or the disk failed"), place: place)
    }
  }

  /// The document's top node; `nil` when there is nothing but comments.
  func root() throws(SettingsError) -> Node? {
    do {
      return try Yams.compose(yaml: text)
    } catch let error as YamlError {
      throw translated(error)
    } catch {
      throw SettingsError(fault: .notYAML("the parser gave up"), place: place)
    }
  }

  private func translated(_ error: YamlError) -> SettingsError {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      return SettingsError(fault: .notYAML(problem), place: place.at(mark))
    case .duplicatedKeysInMapping(let keys, let context):
      let key = keys.first ?? ""
      return SettingsError(fault: .duplicate(key), place: secondPlace(of: key, after: context.mark))
    case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
      return SettingsError(fault: .notYAML(problem), place: place)
    case .no, .memory, .dataCouldNotBeDecoded:
      return SettingsError(fault: .notYAML("the parser gave up"), place: place)
    }
  }

  /// The parser gives the first place of a duplicate key; people want to see the second. It is the next line at the same
  /// indentation that starts with the key; a map in braces keeps the first place.
  private func secondPlace(of key: String, after first: Mark) -> SettingPlace {
    let indentation = String(repeating: " ", count: first.column - 1)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for index in lines.indices.dropFirst(first.line) where lines[index].hasPrefix(indentation + key + ":") {
      guard case .file(let path, _, _) = place else { break }
      return .file(path, line: index + 1, column: first.column)
    }
    return place.at(first)
  }
}
