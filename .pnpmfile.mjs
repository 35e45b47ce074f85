// The node-<os>-<cpu> packages give `os` and `cpu` as strings, which pnpm drops: as arrays they limit who installs them.
export const hooks = {
  readPackage(pkg) {
    for (const key of ["os", "cpu"]) if (typeof pkg[key] === "string") pkg[key] = [pkg[key]]
    return pkg
  }
}
