import ArgumentParser
import Foundation
import Shared
import SystemPackage

struct Record: BenchCommand {
  static let configuration = CommandConfiguration(
    abstract: "Records the answers of codeflash's live service, for later runs to replay.",
    discussion: """
      Runs codeflash once on the functions of the project, with answers of the real service, and writes them \
      into the project's folder 'recordings', one file for each function. The key is read from \
      CODEFLASH_API_KEY, here or on the benchmark host. It is stored in no file, and the measured code does not \
      see it.

      EXAMPLES
        CODEFLASH_API_KEY=cf-… cf-bench record codeflash==0.20.6
        cf-bench record main --form quick --output /tmp/recordings
      """)

  @Argument(help: "The revision of codeflash to run.") var revision: String
  @Option(help: ArgumentHelp("quick (one function) or full (all of the project's).", valueName: "form"))
  var form: String = OptimizeForm.full.rawValue
  @Option(help: ArgumentHelp("Folder for the recordings (default: 'recordings' in the project).", valueName: "folder"))
  var output: String?
  @OptionGroup(title: "Measuring") var python: PythonOptions
  @OptionGroup(title: "Measuring") var repository: RepositoryOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @OptionGroup(title: "Machine") var line: ConnectionOptions
  @OptionGroup(title: "Settings") var settings: SettingsOptions
  @OptionGroup(title: "Output") var progress: QuietOptions

  mutating func perform() async throws -> ExitStatus {
    guard let form = OptimizeForm(rawValue: form), form != .auto else {
      throw Problem(
        what: "'\(form)' is not a form of recording", fix: "write --form quick or --form full", exitStatus: .usage)
    }
    var context = try CommandContext(
      machine, line, python, repository, settings, output: Output(isQuiet: progress.quiet))
    context.settings.optimizeAnswers = .live
    context.settings.optimizeForm = form
    return try await context.record(revision, into: output.map { FilePath($0) })
  }
}

extension CommandContext {
  /// Runs one job of layer 3 that asks the live service, and writes what it said.
  func record(_ revision: String, into output: FilePath?) async throws -> ExitStatus {
    let project = try ProjectFolder.find(settings)
    let folder = output ?? FilePath(project).appending("recordings")
    let progress = makeProgress()
    let measurement = Measurement(
      settings: settings, machine: machine, python: python,
      layers: LayerPlans(),
      codeflashLayers: CodeflashLayers(
        settings: settings, layers: [.optimize], project: project, keepsRecordings: true), progress: progress)
    return try await withTemporaryFolder { scratch in
      let events = FilePath(scratch).appending("events.ndjson")
      _ = try await withTicks(progress) {
        try await measurement.run([(.head, NamedRevision(revision))]) { _ in try EventStore(path: events) }
      }
      let record = JobRecord(events: try StoredEvents.read(events))
      if let problem = record.finished?.problem { throw problem }
      try write(record.recordings, to: folder)
      progress.finish("\(record.recordings.count) recordings in \(folder.string)")
      for trouble in record.troubles {
        StandardError.write(trouble.problem.rendered + "\n")
      }
      guard !record.recordings.isEmpty else {
        throw Problem(
          what: "nothing was recorded", why: "the service answered no request about the project's functions",
          fix: "read what codeflash said above; check the key and the network of the benchmark host",
          exitStatus: .partial)
      }
      return Gate().exitStatus(record, nil)
    }
  }

  private func write(_ recordings: [Recording], to folder: FilePath) throws {
    guard !recordings.isEmpty else { return }
    try StoredFile.makeFolders(folder)
    for recording in recordings {
      // The name comes from the benchmark host: it must not lead out of the folder.
      let name = recording.function.replacing(":", with: ".") + ".json"
      guard FilePath.Component(name)?.kind == .regular else {
        throw ResultsError.damagedFile(path: folder.string, reason: "'\(name)' is no name of a file")
      }
      try StoredFile.write(recording.content, to: folder.appending(name))
    }
  }
}
