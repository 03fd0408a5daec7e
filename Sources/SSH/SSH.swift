import Shared
public enum SSHPlaceholder {}
