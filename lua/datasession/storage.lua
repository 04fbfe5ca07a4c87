--- The old name of datasession.store, for one version.
return require "datasession.store"
