import FoundationEssentials
import Shared

/// The project that codeflash is run on: what there is to find in it, and where its files lie.
struct Project {
  /// The unpacked upload.
  var folder: String
  var list: OpportunityList
  var recordings: String { folder + "/recordings" }

  static func open(_ upload: UploadID, home: AgentHome, tools: SetupTools) throws -> Project {
    let folder = try Checkouts(home: home, tools: tools).unpacked(upload)
    return Project(folder: folder, list: try OpportunityList.read(folder + "/opportunities.json"))
  }

  /// Copies the code, without the answers to what is asked of it, into a git repository that runs are cloned from.
  func makeTemplate(at path: String, tools: SetupTools) throws {
    let manager = FileManager.default
    try manager.removeIfThere(path)
    try manager.copyItem(atPath: folder, toPath: path)
    for name in ["recordings", "opportunities.json", ".git"] { try manager.removeIfThere("\(path)/\(name)") }
    let identity = ["-c", "user.name=cf-bench", "-c", "user.email=cf-bench@localhost", "-c", "commit.gpgsign=false"]
    for words in [["init", "--quiet"], ["add", "--all"], identity + ["commit", "--quiet", "--message", list.name]] {
      _ = try tools.mustRun("git", words, doing: "preparing the project '\(list.name)'", in: path)
    }
  }
}

/// `opportunities.json` of a project: what codeflash should find, and what it should turn down.
/// `docs/replay.md` says how to write one.
struct OpportunityList: Decodable, Equatable {
  var schema: Int
  var name: String
  /// The function of the quick form.
  var quick: String
  var functions: [Opportunity]

  struct Opportunity: Decodable, Equatable {
    /// `package.module:qualified.name`.
    var function: String
    var kind: FunctionRun.Kind
    /// What is slow about it, in words.
    var slow: String
    /// The class of remedy, in words.
    var fix: String
    /// How many times as fast accepted code must be by our measurement; needed for an opportunity.
    var leastSpeedup: Double?
    /// Python that makes the arguments; finds the module's names, and an empty folder as `workdir`.
    var setup: String
    /// The expression that is timed, and whose value must stay the same.
    var call: String

    var module: String { String(function.prefix { $0 != ":" }) }
    var name: String { String(function.dropFirst(module.count + 1)) }
    /// The file that it stands in, relative to the project.
    var file: String { module.split(separator: ".").joined(separator: "/") + ".py" }
  }

  static func read(_ path: String) throws -> OpportunityList {
    func wrong(_ why: String) -> Problem {
      Problem(
        what: "the project for codeflash can't be used", why: "opportunities.json: \(why)",
        fix: "docs/replay.md says what stands in it; --set optimize.project=FOLDER names another project",
        exitStatus: .usage)
    }
    let list: OpportunityList
    do {
      list = try JSONDecoder().decode(OpportunityList.self, from: Data(contentsOf: URL(filePath: path)))
    } catch let error as DecodingError { throw wrong(DecodingErrorText.describe(error)) } catch {
      throw wrong("it is missing or can't be read")
    }
    guard list.schema == 1 else { throw wrong("its layout is version \(list.schema), this agent reads 1") }
    guard Set(list.functions.map(\.function)).count == list.functions.count else {
      throw wrong("a function stands in it twice")
    }
    guard list.functions.contains(where: { $0.function == list.quick }) else {
      throw wrong("'quick' names '\(list.quick)', which is none of its functions")
    }
    for each in list.functions {
      guard Self.isName(each.function) else {
        throw wrong("'\(each.function)' does not read like package.module:function or package.module:Class.method")
      }
      if each.kind == .opportunity {
        guard let least = each.leastSpeedup, least > 1, least.isFinite else {
          throw wrong("\(each.function) is an opportunity and has no 'leastSpeedup' over 1")
        }
      }
    }
    return list
  }

  private static func isName(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return parts.count == 2
      && parts.allSatisfy { part in
        part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { word in
          !word.isEmpty && word.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        }
      }
  }
}
