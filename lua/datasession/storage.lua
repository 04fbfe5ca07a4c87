--- The old name of datasession.store, deprecated.
return require "datasession.store"
