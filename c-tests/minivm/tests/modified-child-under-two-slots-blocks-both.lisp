; One written object under two slots: neither can be shared.
(take (ractor nil))
(define common [0])
(defconst LEFT [common])
(defconst RIGHT {:common common})
(vector-push! common 1)
(assert-equal "LEFT[0]" (condition-path (assert-error 'isolation-error (take (ractor LEFT)))))
(assert-equal "RIGHT[:common]"
              (condition-path (assert-error 'isolation-error (take (ractor RIGHT)))))
