import Shared

/// What can go wrong with files of results.
enum ResultsError: UserFacingError, Equatable {
  case unreadable(path: String, reason: String)
  case unwritable(path: String, reason: String)
  /// The folder is none of ours: the file that every folder of results has is not there.
  case notAFolderOfResults(path: String, missing: String)
  case damagedLine(path: String, line: Int, reason: String)
  case damagedFile(path: String, reason: String)
  /// An event whose number is not the one after the last.
  case outOfOrder(path: String, expected: Int, found: Int)
  /// An event whose hash is not that of what stands before it.
  case brokenChain(path: String, number: Int)
  /// Another program writes there.
  case inUse(path: String)
  /// No free name for a new folder within the seconds that were tried.
  case namesTaken(folder: String, tried: Int)

  var what: String {
    switch self {
    case .unreadable(let path, _): "\(path) can't be read"
    case .unwritable(let path, _): "\(path) can't be written"
    case .notAFolderOfResults(let path, _): "\(path) is not a folder of results"
    case .damagedLine(let path, let line, _): "line \(line) of \(path) is damaged"
    case .damagedFile(let path, _): "\(path) is damaged"
    case .outOfOrder(let path, let expected, let found):
      "\(path) expects event \(expected), and got event \(found)"
    case .brokenChain(let path, let number): "\(path) can't take event \(number)"
    case .inUse(let path): "\(path) is being written by another cf-bench"
    case .namesTaken(let folder, _): "no free name for a new folder in \(folder)"
    }
  }

  var why: String? {
    switch self {
    case .unreadable(_, let reason), .unwritable(_, let reason), .damagedLine(_, _, let reason),
      .damagedFile(_, let reason):
      reason
    case .notAFolderOfResults(_, let missing): "it has no \(missing)"
    case .outOfOrder(_, let expected, let found):
      found < expected ? "the event is there already" : "events in between are missing"
    case .brokenChain:
      "its hash does not fit the events before it: it was damaged on its way, or belongs to another job"
    case .inUse: "one program at a time follows a job into a folder"
    case .namesTaken(_, let tried): "folders with the names of the next \(tried) seconds exist already"
    }
  }

  var fix: String {
    switch self {
    case .unreadable: "check the path and its permissions"
    case .unwritable: "free some space or check the permissions, then run `cf-bench report FOLDER`: no event is lost"
    case .notAFolderOfResults: "name a folder below results/, such as the ones `ls results` shows"
    case .damagedLine:
      "restore the file from a backup, or delete this line and all after it: what stands before it can be reported"
    case .damagedFile: "restore the file from a backup, or measure again"
    case .outOfOrder, .brokenChain:
      "run the command again; if it says the same, please report it as a defect of cf-bench"
    case .inUse: "end the other one, or name another folder with --results"
    case .namesTaken: "remove folders that you don't need, or name another folder with --results"
    }
  }

  var exitStatus: ExitStatus {
    switch self {
    case .unreadable, .notAFolderOfResults, .inUse: .usage
    case .unwritable, .damagedLine, .damagedFile, .outOfOrder, .brokenChain, .namesTaken: .infrastructure
    }
  }
}
