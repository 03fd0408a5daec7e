import Shared
import Testing
import Tools

@testable import Azure

/// What az prints for each failure, as it was recorded from the real program.
@Suite("Errors of Azure: words that a person can act on")
struct AzureErrorTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var stderr: String
    var code = ""
    var what: String
    var fix: String
    var isTransient = false
    var status = ExitStatus.infrastructure
    var testDescription: String { String(stderr.prefix(60)) }
  }

  private static func refused(_ code: String, _ message: String) -> String {
    "ERROR: (\(code)) \(message)\nCode: \(code)\nMessage: \(message)"
  }

  static let rows: [Row] = [
    Row(
      stderr: "ERROR: Please run 'az login' to setup account.", what: "nobody is signed in", fix: "az login",
      status: .usage),
    Row(
      stderr:
        "WARNING: Subscription 'X' not recognized.\nERROR: Subscription 'X' not found. Check the spelling and casing and try again.",
      what: "no such subscription", fix: "az account list", status: .usage),
    Row(
      stderr: refused(
        "AuthorizationFailed",
        "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/virtualMachines/start/action' over scope '/subscriptions/s/resourceGroups/G' or the scope is invalid."
      ), code: "AuthorizationFailed", what: "may not do that", fix: "--scope /subscriptions/s/resourceGroups/G"),
    Row(
      stderr: refused("ResourceNotFound", "The Resource 'Microsoft.Compute/virtualMachines/nope' was not found."),
      code: "ResourceNotFound", what: "the VM is not there", fix: "cf-bench provision"),
    Row(
      stderr: refused("ResourceGroupNotFound", "Resource group 'G' could not be found."), code: "ResourceGroupNotFound",
      what: "the resource group is not there", fix: "cf-bench provision"),
    Row(
      stderr: refused("AllocationFailed", "Allocation failed. We do not have sufficient capacity."),
      code: "AllocationFailed", what: "no room", fix: "azure.location"),
    Row(
      stderr: refused("SkuNotAvailable", "The requested size is not available."), code: "SkuNotAvailable",
      what: "can't be had in the region", fix: "azure.size"),
    Row(
      stderr: refused("Conflict", "The request failed due to conflict."), code: "Conflict", what: "busy",
      fix: "try again", isTransient: true),
    Row(
      stderr: refused("OperationPreempted", "Operation execution has been preempted by a more recent operation."),
      code: "OperationPreempted", what: "went first", fix: "try again", isTransient: true),
    Row(
      stderr: refused("TooManyRequests", "slow down"), code: "TooManyRequests", what: "slow down", fix: "try again",
      isTransient: true),
    Row(
      stderr: refused(
        "OperationNotAllowed", "The server rejected the request because too many requests have been received."),
      code: "OperationNotAllowed", what: "does not allow", fix: "try again", isTransient: true),
    Row(
      stderr: refused(
        "OperationNotAllowed", "Operation could not be completed as it results in exceeding approved quota."),
      code: "OperationNotAllowed", what: "does not allow", fix: "quota"),
    Row(
      stderr: "ERROR: ('Connection aborted.', RemoteDisconnected('Remote end closed connection without response'))",
      what: "'az vm start' failed", fix: "check the network", isTransient: true),
    Row(
      stderr:
        "ERROR: HTTPSConnection(host='127.0.0.1', port=1): Failed to establish a new connection: [Errno 111] Connection refused",
      what: "'az vm start' failed", fix: "check the network", isTransient: true),
    Row(
      stderr: "ERROR: AADSTS700024: Client assertion is not within its valid time range.", code: "AADSTS700024",
      what: "sign-in to Azure has ended", fix: "id-token: write"),
    Row(
      stderr: "ERROR: AADSTS700213: No matching federated identity record found.", code: "AADSTS700213",
      what: "no federated credential", fix: "subject"),
    Row(
      stderr: "ERROR: AADSTS99999: something new", code: "AADSTS99999", what: "sign-in refused (AADSTS99999)",
      fix: "az login"),
    Row(
      stderr:
        #"ERROR: {"status":"Failed","error":{"code":"DeploymentFailed","details":[{"code":"SkuNotAvailable","message":"no"}]}}"#,
      code: "SkuNotAvailable", what: "can't be had in the region", fix: "azure.size"),
    Row(
      stderr: refused("BrandNewCode", "never seen"), code: "BrandNewCode",
      what: "Azure refused 'vm start' (BrandNewCode)",
      fix: "cf-bench doctor"),
    Row(stderr: "\n", what: "'az vm start' failed", fix: "--debug"),
  ]

  @Test("each has its own words, and only what may pass is tried again", arguments: rows)
  func words(row: Row) {
    let error = AzureError(
      ChildTool.Output(.status(1), error: row.stderr), during: "vm start --resource-group G --name v")
    #expect(error.code == row.code)
    #expect(error.what.contains(row.what), "\(error.what)")
    #expect(error.fix.contains(row.fix), "\(error.fix)")
    #expect(error.isTransient == row.isTransient)
    #expect(error.exitStatus == row.status)
  }

  @Test("a missing role names the action")
  func missingAction() {
    let error = AzureError(ChildTool.Output(.status(1), error: Self.rows[2].stderr), during: "vm start")
    #expect(error.why?.hasPrefix("the role lacks the action Microsoft.Compute/virtualMachines/start/action") == true)
  }

  @Test("az that ends without a word: how it ended is the why, and there is something to do")
  func silent() {
    let died = AzureError(ChildTool.Output(.status(1)), during: "vm start")
    #expect(died.why == "az ended with exit status 1 and said nothing")
    #expect(died.fix.contains("az vm start --debug") && died.fix.contains("azure-cli"))
    let killed = AzureError(ChildTool.Output(.signal(9), error: " \n"), during: "vm start")
    #expect(killed.why?.hasPrefix("az was killed by signal 9 (") == true)
  }

  @Test("a call's arguments, which may be secret, are in no words")
  func noArguments() {
    let error = AzureError(
      ChildTool.Output(.status(1), error: "ERROR: no"), during: "login --service-principal -p secret")
    #expect(!error.problem.rendered.contains("secret"))
  }
}
